//! What the authentication routes answer. Keys stand in the order in which clients see them.

use serde::Serialize;
use sme_pulse_auth::{
    AccessError, Principal,
    service::{AccessToken, PendingLogIn, SignedIn},
};
use sme_pulse_domain::{
    ids::{OrgId, SessionId},
    role::{Role, RoleSet},
    session::Session,
    user::User,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::routes::timestamp;

/// A successful log-in or refresh.
#[derive(Serialize, ToSchema)]
pub(super) struct LogInView {
    /// The access token, for the header `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Lifetime of the token in seconds.
    #[schema(example = 1800)]
    expires_in: i64,
    /// Who signed in.
    user: UserView,
    /// Role codes, ordered by role id.
    #[schema(example = json!(["owner", "admin"]))]
    roles: Vec<&'static str>,
    /// The refresh token: exchange it for new tokens before the session ends. Keep it as carefully as a password.
    #[schema(example = "spr_…")]
    refresh_token: String,
    /// Seconds until the refresh token is refused, unless it is used before.
    #[schema(example = 1_209_600)]
    refresh_expires_in: i64,
    /// Send it with the next log-in from this device (header `X-Device-Token`; browsers have it as a cookie): strangers who
    /// guess at the account then cannot slow this device down. It opens nothing by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "spd_…")]
    device_token: Option<String>,
}

/// What a log-in with the right password answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum LogInAnswer {
    /// The user is signed in.
    SignedIn(LogInView),
    /// A code of the second factor is needed.
    FactorNeeded(FactorNeededView),
}

/// Half a log-in: the password was right, a code of the second factor is needed.
#[derive(Serialize, ToSchema)]
pub(super) struct FactorNeededView {
    /// Always true.
    #[schema(example = true)]
    mfa_required: bool,
    /// To be sent to `/mfa/verify` with the code. It opens nothing by itself.
    #[schema(example = "spm_…")]
    mfa_token: String,
    /// Seconds until it is refused.
    #[schema(example = 300)]
    expires_in: i64,
}

/// A new access token for the same session.
#[derive(Serialize, ToSchema)]
pub(super) struct AccessTokenView {
    /// The access token, for the header `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Lifetime of the token in seconds.
    #[schema(example = 1800)]
    expires_in: i64,
}

impl From<&PendingLogIn> for FactorNeededView {
    fn from(pending: &PendingLogIn) -> Self {
        Self { mfa_required: true, mfa_token: pending.token.as_str().to_owned(), expires_in: pending.expires_in }
    }
}

impl From<AccessToken> for AccessTokenView {
    fn from(made: AccessToken) -> Self {
        Self { access_token: made.token, token_type: "bearer", expires_in: made.expires_in }
    }
}

/// A user in the answer of a log-in.
#[derive(Serialize, ToSchema)]
pub(super) struct UserView {
    /// Key.
    id: i64,
    /// Address in normal form.
    #[schema(example = "admin@sme.com")]
    email: String,
    /// Name, if given.
    full_name: Option<String>,
    /// Organization.
    org_id: i64,
    /// `active` or `inactive`.
    #[schema(example = "active")]
    status: &'static str,
}

/// The caller, as the server knows them now.
#[derive(Serialize, ToSchema)]
pub(super) struct MeView {
    /// Key.
    id: i64,
    /// Address in normal form.
    #[schema(example = "admin@sme.com")]
    email: String,
    /// Name, if given.
    full_name: Option<String>,
    /// Organization.
    org_id: i64,
    /// `active` or `inactive`.
    #[schema(example = "active")]
    status: &'static str,
    /// Role codes, ordered by role id.
    #[schema(example = json!(["owner", "admin"]))]
    roles: Vec<&'static str>,
}

/// Nothing but a sentence.
#[derive(Serialize, ToSchema)]
pub(super) struct MessageView {
    /// What was done.
    pub(super) message: &'static str,
}

/// The request for a link has been noted.
#[derive(Serialize, ToSchema)]
pub(super) struct ForgotPasswordView {
    /// What happens next.
    #[schema(example = "If the address belongs to an account, a mail with a link is on its way")]
    message: &'static str,
    /// The address as it was sent.
    #[schema(example = "admin@sme.com")]
    email: String,
}

impl ForgotPasswordView {
    pub(super) fn new(email: String) -> Self {
        Self { message: "If the address belongs to an account, a mail with a link is on its way", email }
    }
}

/// One log-in on one device.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    /// Key.
    id: Uuid,
    /// When it was opened.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
    /// When it ends by itself, unless it is refreshed before.
    #[schema(format = DateTime, example = "2025-12-04T08:15:30.123456Z")]
    expires_at: String,
    /// When it was last used, to the minute.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    last_seen_at: Option<String>,
    /// The client's address at log-in.
    client_ip: Option<String>,
    /// The client's user agent at log-in.
    user_agent: Option<String>,
    /// Whether it is the session of this request.
    current: bool,
}

/// How many sessions were ended at once.
#[derive(Serialize, ToSchema)]
pub(super) struct EndedView {
    /// A sentence for people.
    #[schema(example = "Logged out of all other sessions")]
    pub(super) message: &'static str,
    /// How many there were.
    #[schema(example = 2)]
    pub(super) ended: u64,
}

impl SessionView {
    pub(super) fn of(session: Session, calling: Option<SessionId>) -> Self {
        Self {
            id: session.id.get(),
            created_at: timestamp(session.created_at),
            expires_at: timestamp(session.expires_at),
            last_seen_at: session.last_seen_at.map(timestamp),
            current: calling == Some(session.id),
            client_ip: session.client_ip,
            user_agent: session.user_agent,
        }
    }
}

impl From<SignedIn> for LogInView {
    fn from(done: SignedIn) -> Self {
        Self {
            access_token: done.token,
            token_type: "bearer",
            expires_in: done.expires_in,
            user: UserView::of(&done.user, done.org),
            roles: codes(&done.roles),
            refresh_token: done.refresh_token.as_str().to_owned(),
            refresh_expires_in: done.refresh_expires_in,
            device_token: done.device_token,
        }
    }
}

impl UserView {
    /// `org` is the organization the token is for.
    fn of(user: &User, org: OrgId) -> Self {
        Self {
            id: user.id.get(),
            email: user.email.as_str().to_owned(),
            full_name: user.full_name.clone(),
            org_id: org.get(),
            status: user.status.as_str(),
        }
    }
}

impl MeView {
    pub(super) fn of(caller: &Principal) -> Result<Self, AccessError> {
        let user = caller.user().ok_or(AccessError::Misconfigured)?;
        let UserView { id, email, full_name, org_id, status } = UserView::of(user, caller.org_id());
        Ok(Self { id, email, full_name, org_id, status, roles: codes(caller.roles()) })
    }
}

fn codes(roles: &RoleSet) -> Vec<&'static str> {
    roles.iter().map(Role::code).collect()
}
