//! Extractors for actix-web and axum: a handler names the permission it needs in its signature, and nothing fails open.
//!
//! The importing service brings two things: something that turns a token into a [`Principal`](crate::Principal) ([`Authenticate`]; a
//! [`Verifier`](crate::token::Verifier) is one, the `AuthService` of the feature `service` another), and an error of its own that renders
//! the refusals. With actix-web, where the feature `actix` is on:
//!
#![cfg_attr(feature = "actix", doc = "```")]
#![cfg_attr(not(feature = "actix"), doc = "```ignore")]
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
//! With axum, where the feature `axum` is on, the same types stand in the handlers; only the refusal is rendered in axum's way, and what
//! decides is found in another place. The example is that of the module `axum`.
//!
//! The importing service has permissions of its own as well: any type says what it asks of a caller with [`Requirement`].
//!
//! ```
//! use sme_pulse_auth::{Principal, guard::Requirement};
//! use sme_pulse_domain::role::Role;
//!
//! /// Ledgers are closed by accountants and owners.
//! struct CloseLedger;
//!
//! impl Requirement for CloseLedger {
//!     fn is_met_by(caller: &Principal) -> bool {
//!         caller.roles().iter().any(|role| matches!(role, Role::Owner | Role::Accountant))
//!     }
//! }
//! ```
//!
//! [`SignedIn`] asks for nothing but a token that counts, and [`OptionalUser`] not even for that.
//!
//! What moves money or opens doors asks for more than a token that may have been lying about for days: [`RecentUser`]
//! demands that its holder has proved who they are within so many minutes.

#[cfg(feature = "actix")]
mod actix;
mod authenticate;
#[cfg(feature = "axum")]
pub mod axum;
mod bearer;
mod current_user;
mod incoming;
mod optional_user;
mod reach;
mod recent_user;
mod requirement;

#[cfg(feature = "actix")]
pub use actix::authenticator;
#[cfg(feature = "service")]
pub(crate) use authenticate::reach_of;
pub use authenticate::{Authenticate, Authenticating, Reaching};
pub use current_user::CurrentUser;
pub use optional_user::OptionalUser;
pub use reach::{Observer, Reach};
pub use recent_user::RecentUser;
pub use requirement::*;
