//! The caller of a handler: the guard of `sme-pulse-auth` with our errors, named in the access event as well.

use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use sme_pulse_auth::{
    AccessError, Principal,
    guard::{CurrentUser, Observer, Reach, RecentUser, Requires},
};
use sme_pulse_domain::tenant::TenantScope;

use crate::{edge::RequestContext, error::ApiError};

/// The caller, signed in and allowed `P`.
pub(super) struct Caller<P>(CurrentUser<P, ApiError>);

impl<P> Caller<P> {
    pub(super) fn principal(&self) -> &Principal {
        self.0.principal()
    }

    /// The scope in which the caller's tenant can be reached.
    pub(super) fn scope(&self) -> TenantScope {
        self.0.scope()
    }
}

/// The same, who also has proved who they are less than `MINUTES` ago.
pub(super) struct RecentCaller<P, const MINUTES: u32>(RecentUser<P, ApiError, MINUTES>);

impl<P, const MINUTES: u32> RecentCaller<P, MINUTES> {
    pub(super) fn principal(&self) -> &Principal {
        self.0.principal()
    }
}

/// Who asks about tokens, allowed `P` within one organization or everywhere.
pub(super) struct Watcher<P>(Observer<P, ApiError>);

impl<P> Watcher<P> {
    /// How far they see.
    pub(super) fn reach(&self) -> &Reach {
        self.0.reach()
    }
}

impl<P: Requires> FromRequest for Watcher<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let context = RequestContext::of(req);
        let guarded = Observer::<P, ApiError>::from_request(req, payload);
        Box::pin(async move {
            let result = guarded.await;
            let named = match result.as_ref().map(Observer::reach) {
                Ok(Reach::Organization(principal)) => Some(Ok(principal)),
                Ok(Reach::Installation(_)) => None,
                Err(refused) => Some(Err(refused)),
            };
            if let Some(who) = named {
                identify(context, who);
            }
            result.map(Self)
        })
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
            identify(context, result.as_ref().map(CurrentUser::principal));
            result.map(Self)
        })
    }
}

impl<P: Requires, const MINUTES: u32> FromRequest for RecentCaller<P, MINUTES> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let context = RequestContext::of(req);
        let guarded = RecentUser::<P, ApiError, MINUTES>::from_request(req, payload);
        Box::pin(async move {
            let result = guarded.await;
            identify(context, result.as_ref().map(RecentUser::principal));
            result.map(Self)
        })
    }
}

/// Names the caller in the access event, also one who may not.
fn identify(context: Option<RequestContext>, guarded: Result<&Principal, &ApiError>) {
    let who = match guarded {
        Ok(caller) => Some((caller.user_id(), caller.org_id())),
        Err(ApiError::Access(AccessError::Forbidden { user, org } | AccessError::StepUpRequired { user, org, .. })) => {
            Some((*user, *org))
        }
        Err(_) => None,
    };
    if let (Some(context), Some((user, org))) = (context, who) {
        context.identify(user.get(), org.get());
    }
}
