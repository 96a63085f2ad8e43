//! The caller whom a handler demands.

use std::{marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use sme_pulse_domain::tenant::TenantScope;

use super::{Requirement, authenticate::authenticated};
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

impl<P, E> FromRequest for CurrentUser<P, E>
where
    P: Requirement,
    E: From<AccessError> + Into<actix_web::Error> + 'static,
{
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self, E>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let principal = authenticated(&req).await?;
            demand::<P>(&principal)?;
            Ok(Self { principal, required: PhantomData })
        })
    }
}

/// Refuses a caller of whom something else is demanded.
pub(super) fn demand<P: Requirement>(principal: &Principal) -> Result<(), AccessError> {
    if P::is_met_by(principal) {
        return Ok(());
    }
    Err(AccessError::Forbidden { user: principal.user_id(), org: principal.org_id() })
}
