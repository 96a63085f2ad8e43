//! A service on axum with a door of every kind, and who asks at it.

use std::io;

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, TimeDelta};
use sme_pulse_auth::{
    AccessError, Principal,
    guard::{
        Authenticate, Authenticating, CurrentUser, Observer, OptionalUser, ReadUsers, RecentUser, Requirement,
        SignedIn, axum::authenticator,
    },
    token::Verifier,
};
use sme_pulse_domain::{method::Methods, role::Role};
use tower::ServiceExt as _;

struct Refused(AccessError);

impl From<AccessError> for Refused {
    fn from(error: AccessError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            AccessError::Forbidden { .. } | AccessError::StepUpRequired { .. } => StatusCode::FORBIDDEN,
            AccessError::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            AccessError::Undecided(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        };
        (status, self.0.to_string()).into_response()
    }
}

/// This service's own permission.
struct CloseBooks;

impl Requirement for CloseBooks {
    fn is_met_by(caller: &Principal) -> bool {
        caller.roles().contains(Role::Accountant)
    }
}

/// An authenticator that knows how long ago everybody has proved who they are, in minutes.
pub(crate) struct Proved(pub(crate) Verifier, pub(crate) i64);

impl Authenticate for Proved {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            let now = DateTime::UNIX_EPOCH;
            let caller = Principal::claimed(&self.0.verify(token)?);
            Ok(caller.proved(now - TimeDelta::minutes(self.1), Methods::default(), now))
        })
    }
}

/// One that cannot tell.
pub(crate) struct Unsure;

impl Authenticate for Unsure {
    fn authenticate<'a>(&'a self, _: &'a str) -> Authenticating<'a> {
        Box::pin(async { Err(AccessError::Undecided(Box::new(io::Error::other("away")))) })
    }
}

async fn anybody(caller: OptionalUser<Refused>) -> String {
    format!("{:?}", caller.scope().map(|scope| scope.org().get()))
}

async fn signed_in(caller: CurrentUser<SignedIn, Refused>) -> String {
    format!("{} of {}", caller.principal().user_id(), caller.scope().org())
}

async fn ok<G>(_: G) {}

/// What demands a caller.
pub(crate) const GUARDED: [&str; 5] = ["/signed-in", "/users", "/books", "/recent", "/observer"];

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/anybody", get(anybody))
        .route("/signed-in", get(signed_in))
        .route("/users", get(ok::<CurrentUser<ReadUsers, Refused>>))
        .route("/books", get(ok::<CurrentUser<CloseBooks, Refused>>))
        .route("/recent", get(ok::<RecentUser<ReadUsers, Refused, 5>>))
        .route("/observer", get(ok::<Observer<ReadUsers, Refused>>))
}

pub(crate) fn service(authenticate: impl Authenticate + 'static) -> Router {
    routes().layer(Extension(authenticator(authenticate)))
}

pub(crate) async fn ask(app: &Router, path: &str, headers: &[&[u8]]) -> (u16, String) {
    let request = headers.iter().fold(Request::get(path), |request, value| request.header(AUTHORIZATION, *value));
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) async fn status(app: &Router, path: &str, token: &str) -> u16 {
    ask(app, path, &[format!("Bearer {token}").as_bytes()]).await.0
}
