//! The guards as extractors of axum. They look for the one who decides in the extensions of a request:
//!
//! ```
//! use axum::{
//!     Extension, Router,
//!     http::StatusCode,
//!     response::{IntoResponse, Response},
//!     routing::get,
//! };
//! use sme_pulse_auth::{
//!     AccessError,
//!     guard::{CurrentUser, ReadOrganization, axum::authenticator},
//!     token::Verifier,
//! };
//!
//! struct Refused(AccessError);
//!
//! impl From<AccessError> for Refused {
//!     fn from(error: AccessError) -> Self {
//!         Self(error)
//!     }
//! }
//!
//! impl IntoResponse for Refused {
//!     fn into_response(self) -> Response {
//!         let status = match self.0 {
//!             AccessError::Forbidden { .. } | AccessError::StepUpRequired { .. } => StatusCode::FORBIDDEN,
//!             AccessError::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
//!             AccessError::Undecided(_) => StatusCode::SERVICE_UNAVAILABLE,
//!             _ => StatusCode::UNAUTHORIZED,
//!         };
//!         (status, "refused").into_response() // the reason is for the log, not for the client
//!     }
//! }
//!
//! async fn report(caller: CurrentUser<ReadOrganization, Refused>) -> String {
//!     format!("report of organization {}", caller.principal().org_id())
//! }
//!
//! fn app(verifier: Verifier) -> Router {
//!     Router::new().route("/report", get(report)).layer(Extension(authenticator(verifier)))
//! }
//! ```
//!
//! A layer reaches the routes that are there when it is added. Where it is missing, a guard refuses with
//! [`AccessError::Misconfigured`].

use std::sync::Arc;

use axum_core::{extract::FromRequestParts, response::IntoResponse};
use http::{HeaderValue, header::AUTHORIZATION, request::Parts};

use super::{Authenticate, CurrentUser, Observer, OptionalUser, RecentUser, Requirement, Requires, incoming::Incoming};
use crate::AccessError;

/// What the guards look for in the extensions of a request: `Router::layer(Extension(authenticator(verifier)))`. An `Arc` of any
/// other type they do not find.
pub fn authenticator(authenticate: impl Authenticate + 'static) -> Arc<dyn Authenticate> {
    Arc::new(authenticate)
}

impl Incoming for Parts {
    fn authenticator(&self) -> Option<Arc<dyn Authenticate>> {
        self.extensions.get::<Arc<dyn Authenticate>>().cloned()
    }

    fn authorization(&self) -> impl Iterator<Item = &[u8]> {
        self.headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes)
    }
}

impl<S, P, E> FromRequestParts<S> for CurrentUser<P, E>
where
    S: Sync,
    P: Requirement,
    E: From<AccessError> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        Ok(Self::of(parts).await?)
    }
}

impl<S, E> FromRequestParts<S> for OptionalUser<E>
where
    S: Sync,
    E: From<AccessError> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        Ok(Self::of(parts).await?)
    }
}

impl<S, P, E, const MINUTES: u32> FromRequestParts<S> for RecentUser<P, E, MINUTES>
where
    S: Sync,
    P: Requirement,
    E: From<AccessError> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        Ok(Self::of(parts).await?)
    }
}

impl<S, P, E> FromRequestParts<S> for Observer<P, E>
where
    S: Sync,
    P: Requires,
    E: From<AccessError> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        Ok(Self::of(parts).await?)
    }
}
