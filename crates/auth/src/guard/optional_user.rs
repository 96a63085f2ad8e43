//! The caller, if there is one.

use std::marker::PhantomData;

use sme_pulse_domain::tenant::TenantScope;

use super::{authenticate::authenticated, incoming::Incoming};
use crate::{AccessError, Principal};

/// The caller where a request may come without a token. Without an `Authorization` header there is nobody; with one that is no good,
/// or that nobody can decide about, the request is refused: who means to be somebody is not served as nobody.
#[derive(Debug)]
pub struct OptionalUser<E> {
    principal: Option<Principal>,
    refusal: PhantomData<fn() -> E>,
}

impl<E> OptionalUser<E> {
    /// Who calls.
    pub const fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The scope in which the caller's tenant can be reached.
    pub fn scope(&self) -> Option<TenantScope> {
        self.principal().map(Principal::scope)
    }
}

impl<E> OptionalUser<E> {
    /// Whoever calls, or nobody.
    pub(super) async fn of(req: &impl Incoming) -> Result<Self, AccessError> {
        let named = req.authorization().next().is_some();
        let principal = if named { Some(authenticated(req).await?) } else { None };
        Ok(Self { principal, refusal: PhantomData })
    }
}
