//! Extractors for actix-web: a handler names the permission it needs in its signature, and nothing fails open.
//!
//! The importing service brings two things: something that turns a token into a [`Principal`] ([`Authenticate`]; the
//! `AuthService` of the feature `service` is one), and an error of its own that renders the refusals.
//!
//! ```
//! use std::{fmt, sync::Arc};
//!
//! use actix_web::{App, ResponseError, http::StatusCode, web};
//! use sme_pulse_auth::{
//!     AccessError,
//!     guard::{Authenticate, CurrentUser, ReadOrganization},
//! };
//!
//! #[derive(Debug)]
//! struct Refused(AccessError);
//!
//! impl From<AccessError> for Refused {
//!     fn from(error: AccessError) -> Self {
//!         Self(error)
//!     }
//! }
//!
//! impl fmt::Display for Refused {
//!     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!         f.write_str("refused") // the reason is for the log, not for the client
//!     }
//! }
//!
//! impl ResponseError for Refused {
//!     fn status_code(&self) -> StatusCode {
//!         match self.0 {
//!             AccessError::Forbidden { .. } | AccessError::StepUpRequired { .. } => StatusCode::FORBIDDEN,
//!             AccessError::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
//!             AccessError::Undecided(_) => StatusCode::SERVICE_UNAVAILABLE,
//!             _ => StatusCode::UNAUTHORIZED,
//!         }
//!     }
//! }
//!
//! async fn report(caller: CurrentUser<ReadOrganization, Refused>) -> String {
//!     format!("report of organization {}", caller.principal().org_id())
//! }
//!
//! fn mount(config: &mut web::ServiceConfig, authenticator: Arc<dyn Authenticate>) {
//!     config.app_data(web::Data::from(authenticator)).route("/report", web::get().to(report));
//! }
//! # let _ = |authenticator| App::new().configure(|config| mount(config, authenticator));
//! ```
//!
//! What moves money or opens doors asks for more than a token that may have been lying about for days: [`RecentUser`]
//! demands that its holder has proved who they are within so many minutes.

use std::{marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use sme_pulse_domain::{permission::Permission, tenant::TenantScope};

use crate::{AccessError, Principal, token::TokenError};

/// The future of [`Authenticate::authenticate`].
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Principal, AccessError>> + Send + 'a>>;

/// Turns a token into the caller behind it. Register it as `Data::from(Arc<dyn Authenticate>)`.
pub trait Authenticate: Send + Sync {
    /// Checks signature, claims and the server's own state.
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a>;
}

/// A permission as a type.
pub trait Requires: 'static {
    /// What the handler needs.
    const PERMISSION: Permission;
}

macro_rules! requirements {
    ($($name:ident),+ $(,)?) => {$(
        #[doc = concat!("Needs [`Permission::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Requires for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )+};
}

requirements!(
    UseOwnAccount,
    ReadUsers,
    WriteUsers,
    ManageInvitations,
    ReadOrganization,
    WriteOrganization,
    ReadAuditTrail,
    ReadPartners,
    WritePartners,
    ReadAccounts,
    WriteAccounts,
);

/// The caller, signed in and allowed `P`. `E` is the importing service's own error, so that it renders the refusal.
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
    P: Requires,
    E: From<AccessError> + Into<actix_web::Error> + 'static,
{
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self, E>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let principal = authenticated(&req).await?;
            if !principal.may(P::PERMISSION) {
                return Err(AccessError::Forbidden { user: principal.user_id(), org: principal.org_id() }.into());
            }
            Ok(Self { principal, required: PhantomData })
        })
    }
}

/// The caller, signed in, allowed `P`, and known to have proved who they are less than `MINUTES` ago: at the log-in or
/// with a step-up in between. The server's own state of the session decides, never a claim of the token; a token without
/// a session is refused.
///
/// Refusals are [`AccessError::StepUpRequired`]. Answer them so that clients know what to do (RFC 9470):
///
/// ```
/// use actix_web::{HttpResponse, http::StatusCode, http::header::WWW_AUTHENTICATE};
/// use sme_pulse_auth::{AccessError, guard::{RecentUser, WriteOrganization}};
/// # use std::fmt;
/// # #[derive(Debug)]
/// # struct Refused(AccessError);
/// # impl From<AccessError> for Refused {
/// #     fn from(error: AccessError) -> Self { Self(error) }
/// # }
/// # impl fmt::Display for Refused {
/// #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("refused") }
/// # }
///
/// impl actix_web::ResponseError for Refused {
///     fn status_code(&self) -> StatusCode {
///         if matches!(self.0, AccessError::StepUpRequired { .. }) { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED }
///     }
///
///     fn error_response(&self) -> HttpResponse {
///         let mut response = HttpResponse::build(self.status_code());
///         if let AccessError::StepUpRequired { max_age, .. } = self.0 {
///             let challenge = format!(r#"Bearer error="insufficient_user_authentication", max_age="{max_age}""#);
///             response.insert_header((WWW_AUTHENTICATE, challenge));
///         }
///         response.finish()
///     }
/// }
///
/// /// A payment goes out only if its sender has shown password or code within the last five minutes.
/// async fn pay(caller: RecentUser<WriteOrganization, Refused, 5>) -> String {
///     format!("paid by user {}", caller.principal().user_id())
/// }
/// # let _ = actix_web::web::post().to(pay);
/// ```
#[derive(Debug)]
pub struct RecentUser<P, E, const MINUTES: u32>(CurrentUser<P, E>);

impl<P, E, const MINUTES: u32> RecentUser<P, E, MINUTES> {
    /// Who calls.
    pub fn principal(&self) -> &Principal {
        self.0.principal()
    }

    /// The scope in which the caller's tenant can be reached.
    pub fn scope(&self) -> TenantScope {
        self.0.scope()
    }
}

impl<P, E, const MINUTES: u32> FromRequest for RecentUser<P, E, MINUTES>
where
    P: Requires,
    E: From<AccessError> + Into<actix_web::Error> + 'static,
{
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self, E>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let current = CurrentUser::<P, E>::from_request(req, payload);
        Box::pin(async move {
            let user = current.await?;
            user.principal().require_recent(MINUTES)?;
            Ok(Self(user))
        })
    }
}

async fn authenticated(req: &HttpRequest) -> Result<Principal, AccessError> {
    let authenticator = req.app_data::<Data<dyn Authenticate>>().cloned().ok_or(AccessError::Misconfigured)?;
    let token = bearer(req)?;
    authenticator.authenticate(token).await
}

/// The token of the one `Authorization` header; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(req: &HttpRequest) -> Result<&str, AccessError> {
    let mut headers = req.headers().get_all(header::AUTHORIZATION);
    let value = headers.next().ok_or(AccessError::Unauthenticated)?.as_bytes();
    if headers.next().is_some() {
        return Err(TokenError::Malformed.into());
    }
    let (scheme, rest) = match value.iter().position(|byte| *byte == b' ') {
        Some(space) => value.split_at(space),
        None => (value, &b""[..]),
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(AccessError::Unauthenticated);
    }
    std::str::from_utf8(rest).map(|token| token.trim_matches(' ')).map_err(|_| TokenError::Malformed.into())
}
