//! The caller of a handler: the guard of `sme-pulse-auth` with our errors, named in the access event as well.

use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use sme_pulse_auth::{
    AccessError, Principal,
    guard::{CurrentUser, Requires},
};

use crate::{edge::RequestContext, error::ApiError};

/// The caller, signed in and allowed `P`.
pub(super) struct Caller<P>(CurrentUser<P, ApiError>);

impl<P> Caller<P> {
    pub(super) fn principal(&self) -> &Principal {
        self.0.principal()
    }
}

impl<P: Requires> FromRequest for Caller<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let context = RequestContext::of(req);
        let guarded = CurrentUser::<P, ApiError>::from_request(req, payload);
        Box::pin(async move {
            let result = guarded.await;
            let who = match &result {
                Ok(user) => Some((user.principal().user_id(), user.principal().org_id())),
                Err(ApiError::Access(AccessError::Forbidden { user, org })) => Some((*user, *org)),
                Err(_) => None,
            };
            if let (Some(context), Some((user, org))) = (context, who) {
                context.identify(user.get(), org.get());
            }
            result.map(Self)
        })
    }
}
