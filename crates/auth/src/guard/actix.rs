//! The guards as extractors of actix-web.

use std::{pin::Pin, sync::Arc};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderValue},
    web::Data,
};

use super::{Authenticate, CurrentUser, Observer, OptionalUser, RecentUser, Requirement, Requires, incoming::Incoming};
use crate::AccessError;

/// What the guards look for in the application's data: `App::new().app_data(authenticator(verifier))`. Make it once and clone it into
/// every worker.
pub fn authenticator(authenticate: impl Authenticate + 'static) -> Data<dyn Authenticate> {
    let shared: Arc<dyn Authenticate> = Arc::new(authenticate);
    Data::from(shared)
}

impl Incoming for HttpRequest {
    fn authenticator(&self) -> Option<Arc<dyn Authenticate>> {
        self.app_data::<Data<dyn Authenticate>>().cloned().map(Data::into_inner)
    }

    fn authorization(&self) -> impl Iterator<Item = &[u8]> {
        self.headers().get_all(AUTHORIZATION).map(HeaderValue::as_bytes)
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
        Box::pin(async move { Ok(Self::of(&req).await?) })
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
        Box::pin(async move { Ok(Self::of(&req).await?) })
    }
}

impl<P, E, const MINUTES: u32> FromRequest for RecentUser<P, E, MINUTES>
where
    P: Requirement,
    E: From<AccessError> + Into<actix_web::Error> + 'static,
{
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self, E>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { Ok(Self::of(&req).await?) })
    }
}

impl<P, E> FromRequest for Observer<P, E>
where
    P: Requires,
    E: From<AccessError> + Into<actix_web::Error> + 'static,
{
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self, E>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { Ok(Self::of(&req).await?) })
    }
}
