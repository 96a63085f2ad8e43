//! The caller, if there is one.

use std::{marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use sme_pulse_domain::tenant::TenantScope;

use super::authenticate::authenticated;
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

impl<E> FromRequest for OptionalUser<E>
where
    E: From<AccessError> + Into<actix_web::Error> + 'static,
{
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self, E>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let named = req.headers().contains_key(actix_web::http::header::AUTHORIZATION);
            let principal = if named { Some(authenticated(&req).await?) } else { None };
            Ok(Self { principal, refusal: PhantomData })
        })
    }
}
