//! The caller who has lately proved who they are.

use sme_pulse_domain::tenant::TenantScope;

use super::{CurrentUser, Requirement, incoming::Incoming};
use crate::{AccessError, Principal};

/// The caller, signed in, allowed `P`, and known to have proved who they are less than `MINUTES` ago: at the log-in or
/// with a step-up in between. The server's own state of the session decides, never a claim of the token; a token without
/// a session is refused, and so is every token where only a [`Verifier`](crate::token::Verifier) knows it.
///
/// Refusals are [`AccessError::StepUpRequired`]. Answer them so that clients know what to do (RFC 9470):
///
#[cfg_attr(feature = "actix", doc = "```")]
#[cfg_attr(not(feature = "actix"), doc = "```ignore")]
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

impl<P: Requirement, E, const MINUTES: u32> RecentUser<P, E, MINUTES> {
    /// Whoever calls, if they are as `P` demands and have proved it lately.
    pub(super) async fn of(req: &impl Incoming) -> Result<Self, AccessError> {
        let user = CurrentUser::of(req).await?;
        user.principal().require_recent(MINUTES)?;
        Ok(Self(user))
    }
}
