//! The caller whom a handler demands.

use std::marker::PhantomData;

use sme_pulse_domain::tenant::TenantScope;

use super::{Requirement, authenticate::authenticated, incoming::Incoming};
use crate::{AccessError, Principal};

/// The caller, signed in and as `P` demands. `E` is the importing service's own error, so that it renders the refusal.
#[derive(Debug)]
pub struct CurrentUser<P, E> {
    principal: Principal,
    required: PhantomData<fn() -> (P, E)>,
}

impl<P, E> CurrentUser<P, E> {
    /// Who calls.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The scope in which the caller's tenant can be reached.
    pub fn scope(&self) -> TenantScope {
        self.principal.scope()
    }
}

impl<P: Requirement, E> CurrentUser<P, E> {
    /// Whoever calls, if they are as `P` demands.
    pub(super) async fn of(req: &impl Incoming) -> Result<Self, AccessError> {
        let principal = authenticated(req).await?;
        if !P::is_met_by(&principal) {
            return Err(AccessError::Forbidden { user: principal.user_id(), org: principal.org_id() });
        }
        Ok(Self { principal, required: PhantomData })
    }
}
