//! The one table from errors to status, code and text. No wildcard arm: a new error must be placed here to compile.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

use sme_pulse_auth::AccessError;
use sme_pulse_auth::password::HashError;
use sme_pulse_auth::service::{
    FactorError, InvitationError, LogInError, OrganizationError, PasswordError, RefreshError, SessionError,
    SignUpError, SwitchError, UserError,
};
use sme_pulse_persistence::{AsStoreError as _, StoreError, Violation};

use super::{
    ApiError, Issue, Loc, Rule,
    ledger::of_ledger,
    programs::{of_api_key, of_revocations},
};

/// Seconds a client should wait after a 503.
const RETRY_AFTER_UNAVAILABLE: u64 = 1;

/// How an error is answered.
#[derive(Debug)]
pub(crate) struct Class<'a> {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) error: Cow<'a, str>,
    pub(crate) detail: Detail<'a>,
    allow: Option<&'a str>,
    retry_after: Option<u64>,
    /// Seconds within which the caller should have proved who they are.
    max_age: Option<u32>,
}

/// What `detail` holds.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Detail<'a> {
    /// The same text as `error`.
    Same,
    /// Another text.
    Text(Cow<'a, str>),
    /// The items of a 422.
    Issues(Cow<'a, [Issue]>),
}

impl<'a> Class<'a> {
    pub(super) fn plain(status: StatusCode, code: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        Self { status, code, error: text.into(), detail: Detail::Same, allow: None, retry_after: None, max_age: None }
    }

    fn bad_request(text: &'static str) -> Self {
        Self::plain(StatusCode::BAD_REQUEST, "bad_request", text)
    }

    fn unauthorized(code: &'static str, text: &'static str) -> Self {
        Self::plain(StatusCode::UNAUTHORIZED, code, text)
    }

    pub(super) fn internal() -> Self {
        let detail = Detail::Text("An unexpected error occurred.".into());
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { detail, ..Self::plain(status, "internal_error", "Internal server error") }
    }

    pub(super) fn invalid(issues: impl Into<Cow<'a, [Issue]>>) -> Self {
        let plain = Self::plain(StatusCode::UNPROCESSABLE_ENTITY, "validation_error", "Validation error");
        Self { detail: Detail::Issues(issues.into()), ..plain }
    }

    pub(super) fn unavailable() -> Self {
        let detail = Detail::Text("The service is temporarily unavailable. Please try again.".into());
        let plain = Self::plain(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", "Service unavailable");
        Self { detail, retry_after: Some(RETRY_AFTER_UNAVAILABLE), ..plain }
    }

    fn rate_limited(window: u64) -> Self {
        let detail = Detail::Text(format!("Rate limit exceeded. Please try again in {window} seconds.").into());
        let plain = Self::plain(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests");
        Self { detail, retry_after: Some(window), ..plain }
    }

    /// `retry_after` of the body, which only a 429 has.
    pub(crate) fn body_retry_after(&self) -> Option<u64> {
        self.retry_after.filter(|_| self.status == StatusCode::TOO_MANY_REQUESTS)
    }

    /// The headers that belong to the status.
    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // RFC 9470, but for its status: existing clients take every 401 for the end of their session.
        if let Some(seconds) = self.max_age {
            let challenge = format!(r#"Bearer error="insufficient_user_authentication", max_age="{seconds}""#);
            if let Ok(challenge) = HeaderValue::try_from(challenge) {
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow.and_then(|methods| HeaderValue::from_str(methods).ok()) {
            headers.insert(header::ALLOW, allow);
        }
    }
}

impl ApiError {
    /// Status, code and texts of the answer.
    pub(crate) fn class(&self) -> Class<'_> {
        match self {
            Self::BadRequest(_) | Self::ClientGone => Class::bad_request("Bad request"),
            Self::BodyTimedOut => Class::plain(StatusCode::REQUEST_TIMEOUT, "bad_request", "Bad request"),
            Self::DisallowedOrigin => Class::bad_request("Disallowed CORS origin"),
            Self::HeadTooLarge => {
                let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                Class::plain(status, "bad_request", "Request head too large")
            }
            Self::Invalid(issues) => Class::invalid(issues),
            Self::NotFound(text) => Class::plain(StatusCode::NOT_FOUND, "not_found", *text),
            Self::MethodNotAllowed(allow) => {
                let plain = Class::plain(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed");
                Class { allow: Some(allow), ..plain }
            }
            Self::Business(refusal) => {
                let (status, code) = refusal.code.class();
                Class::plain(status, code, refusal.text.as_ref())
            }
            Self::TooLarge => {
                Class::plain(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "Request body too large")
            }
            Self::RateLimited(window) => Class::rate_limited(*window),
            Self::NotImplemented(text) => Class::plain(StatusCode::NOT_IMPLEMENTED, "not_implemented", *text),
            Self::TimedOut | Self::Overloaded | Self::Leaving | Self::Errands(_) | Self::Unavailable(_) => {
                Class::unavailable()
            }
            Self::Access(error) => of_access(error),
            Self::LogIn(error) => of_log_in(error),
            Self::Refresh(error) => of_refresh(error),
            Self::Factor(error) => of_factor(error),
            Self::Session(error) => of_session(error),
            Self::Password(error) => of_password(error),
            Self::Organization(error) => of_organization(error),
            Self::User(error) => of_user(error),
            Self::Ledger(error) => of_ledger(error),
            Self::Kept(refusal) => Class::plain(refusal.status, refusal.code, refusal.text.as_str()),
            Self::Invitation(error) => of_invitation(error),
            Self::ApiKey(error) => of_api_key(error),
            Self::SignUp(error) => of_sign_up(error),
            Self::Switch(error) => of_switch(error),
            // Nobody changes keys by a request, so whatever else it is, is a fault of ours.
            Self::Keys(error) => error.as_store_error().map_or_else(Class::internal, of_store),
            Self::Revocations(error) => of_revocations(error),
            Self::Store(error) => of_store(error),
            Self::Internal(_) => Class::internal(),
        }
    }
}

/// All refusals of a token look alike.
pub(super) fn of_access(error: &AccessError) -> Class<'static> {
    match error {
        AccessError::Unauthenticated => Class::unauthorized("not_authenticated", "Not authenticated"),
        AccessError::InvalidToken(_)
        | AccessError::BadKey(_)
        | AccessError::UnknownUser
        | AccessError::OrganizationMismatch { .. }
        | AccessError::SessionEnded => Class::unauthorized("invalid_token", "Could not validate credentials"),
        AccessError::Inactive { .. } => Class::unauthorized("user_inactive", "User is inactive"),
        AccessError::Forbidden { .. } | AccessError::NotGranted => {
            Class::plain(StatusCode::FORBIDDEN, "insufficient_permissions", "Insufficient permissions")
        }
        AccessError::StepUpRequired { max_age, .. } => {
            let text = "Please confirm who you are to continue";
            Class { max_age: Some(*max_age), ..Class::plain(StatusCode::FORBIDDEN, "step_up_required", text) }
        }
        AccessError::Undecided(cause) => cause.downcast_ref().map_or_else(Class::internal, of_store),
        AccessError::Misconfigured => Class::internal(),
    }
}

fn of_log_in(error: &LogInError) -> Class<'static> {
    match error {
        LogInError::Refused { .. } => Class::unauthorized("invalid_credentials", "Incorrect email or password"),
        LogInError::Slowed { seconds, .. } => Class::rate_limited(*seconds),
        LogInError::Overloaded(_) => Class::unavailable(),
        LogInError::Store(cause) => of_store(cause),
        LogInError::Signing(_) => Class::internal(),
    }
}

/// All refusals of a refresh token look alike.
fn of_refresh(error: &RefreshError) -> Class<'static> {
    match error {
        RefreshError::Refused(_) => Class::unauthorized("invalid_refresh_token", "Invalid or expired refresh token"),
        RefreshError::Store(cause) => of_store(cause),
        RefreshError::Signing(_) => Class::internal(),
    }
}

/// All refusals of a log-in's second half look alike. A wrong proof of somebody who is signed in is no 401.
fn of_factor(error: &FactorError) -> Class<'static> {
    let rule = |text| Class::plain(StatusCode::BAD_REQUEST, "rule_violated", text);
    let conflict = |text| Class::plain(StatusCode::CONFLICT, "conflict", text);
    match error {
        FactorError::LogInRefused { .. } => Class::unauthorized("invalid_mfa", "Invalid or expired code"),
        FactorError::WrongProof { .. } => rule("The code or password is incorrect"),
        FactorError::CodeNeeded => rule("This account has a second factor: a code is needed"),
        FactorError::PasswordNeeded => rule("This account has no second factor: the password is needed"),
        FactorError::NoSession => {
            Class::plain(StatusCode::BAD_REQUEST, "invalid_state", "This token belongs to no session")
        }
        FactorError::AlreadyEnabled => conflict("The second factor is already enabled"),
        FactorError::NotEnabled => conflict("The second factor is not enabled"),
        FactorError::NotEnrolled => conflict("No second factor has been set up to be confirmed"),
        FactorError::Access(error) => of_access(error),
        FactorError::Slowed { seconds, .. } => Class::rate_limited(*seconds),
        FactorError::Overloaded(_) => Class::unavailable(),
        FactorError::Store(cause) => of_store(cause),
        FactorError::Signing(_) | FactorError::Unmakeable => Class::internal(),
    }
}

fn of_session(error: &SessionError) -> Class<'static> {
    match error {
        SessionError::NotFound => Class::plain(StatusCode::NOT_FOUND, "not_found", "Session not found"),
        SessionError::Access(error) => of_access(error),
        SessionError::Store(cause) => of_store(cause),
    }
}

/// A wrong old password is no 401: that would mean that the caller is not signed in.
fn of_password(error: &PasswordError) -> Class<'static> {
    let refused = |text: &'static str| Class::plain(StatusCode::BAD_REQUEST, "rule_violated", text);
    match error {
        PasswordError::Refused(reason) => weak_password("new_password", reason.to_string()),
        PasswordError::WrongPassword | PasswordError::UnreadableHash(_) => refused("Current password is incorrect"),
        PasswordError::Slowed { seconds, .. } => Class::rate_limited(*seconds),
        PasswordError::Access(error) => of_access(error),
        PasswordError::InvalidResetToken => refused("Invalid or expired reset token"),
        PasswordError::Overtaken => {
            Class::plain(StatusCode::CONFLICT, "conflict", "The password was changed at the same time.")
        }
        PasswordError::Hash(error) => of_hash(*error),
        PasswordError::Store(cause) => of_store(cause),
    }
}

fn of_organization(error: &OrganizationError) -> Class<'static> {
    match error {
        OrganizationError::NotFound => Class::plain(StatusCode::NOT_FOUND, "not_found", "Organization not found"),
        OrganizationError::TaxCodeTaken => {
            Class::plain(StatusCode::CONFLICT, "conflict", "Another organization already uses this tax code.")
        }
        OrganizationError::Store(cause) => of_store(cause),
    }
}

fn of_user(error: &UserError) -> Class<'static> {
    match error {
        UserError::NotFound => Class::plain(StatusCode::NOT_FOUND, "not_found", "User not found"),
        UserError::EmailTaken => Class::plain(StatusCode::BAD_REQUEST, "duplicate", "Email already registered"),
        UserError::Rule(rule) => Class::plain(StatusCode::BAD_REQUEST, "rule_violated", rule.to_string()),
        UserError::FirstPassword(reason) => weak_password("password", reason.to_string()),
        UserError::NewPassword(reason) => weak_password("new_password", reason.to_string()),
        UserError::Access(error) => of_access(error),
        UserError::Hash(error) => of_hash(*error),
        UserError::Store(cause) => of_store(cause),
    }
}

/// All refusals of a link look alike.
fn of_invitation(error: &InvitationError) -> Class<'static> {
    let bad = |code, text| Class::plain(StatusCode::BAD_REQUEST, code, text);
    match error {
        InvitationError::NotFound => Class::plain(StatusCode::NOT_FOUND, "not_found", "Invitation not found"),
        InvitationError::AlreadyMember => bad("duplicate", "This person already belongs to the organization."),
        InvitationError::AlreadyInvited => bad("duplicate", "This address is already invited."),
        InvitationError::Accepted => bad("invalid_state", "The invitation was already accepted."),
        InvitationError::Revoked => bad("invalid_state", "The invitation was revoked."),
        InvitationError::Flooded { seconds, .. } => Class::rate_limited(*seconds),
        InvitationError::InvalidLink => bad("rule_violated", "Invalid or expired invitation"),
        InvitationError::HasAccount => {
            Class::plain(StatusCode::CONFLICT, "conflict", "This address has an account: sign in to join.")
        }
        InvitationError::Weak(reason) => weak_password("password", reason.to_string()),
        InvitationError::Access(error) => of_access(error),
        InvitationError::Hash(error) => of_hash(*error),
        InvitationError::Store(cause) => of_store(cause),
    }
}

fn of_sign_up(error: &SignUpError) -> Class<'static> {
    match error {
        SignUpError::EmailTaken => Class::plain(StatusCode::BAD_REQUEST, "duplicate", "Email already registered"),
        SignUpError::TaxCodeTaken => of_organization(&OrganizationError::TaxCodeTaken),
        SignUpError::Weak(reason) => weak_password("password", reason.to_string()),
        SignUpError::InvalidLink => {
            Class::plain(StatusCode::BAD_REQUEST, "rule_violated", "Invalid or expired confirmation")
        }
        SignUpError::HasAccount => {
            Class::plain(StatusCode::CONFLICT, "conflict", "This address has an account by now: sign in.")
        }
        SignUpError::Errands(_) => Class::unavailable(),
        SignUpError::Hash(error) => of_hash(*error),
        SignUpError::Store(cause) => of_store(cause),
    }
}

fn of_switch(error: &SwitchError) -> Class<'static> {
    match error {
        SwitchError::NotFound => of_organization(&OrganizationError::NotFound),
        SwitchError::AlreadyThere => {
            Class::plain(StatusCode::BAD_REQUEST, "rule_violated", "You are in this organization already.")
        }
        SwitchError::PasswordOfAnother => Class::plain(
            StatusCode::FORBIDDEN,
            "own_password_required",
            "Your password was set by somebody else. Set one of your own with the link of a forgotten password first.",
        ),
        SwitchError::NoSession => of_factor(&FactorError::NoSession),
        SwitchError::Access(error) => of_access(error),
        SwitchError::Store(cause) => of_store(cause),
        SwitchError::Signing(_) => Class::internal(),
    }
}

fn weak_password(field: &'static str, reason: String) -> Class<'static> {
    let place = vec![Loc::Name("body"), Loc::Name(field)];
    Class::invalid(vec![Issue::new(place, reason, "value_error")])
}

fn of_hash(error: HashError) -> Class<'static> {
    match error {
        HashError::Overloaded(_) => Class::unavailable(),
        HashError::Unusable => Class::internal(),
    }
}

/// Violations that no use case has named: never a 500.
pub(super) fn of_store(error: &StoreError) -> Class<'static> {
    match error {
        StoreError::Unavailable(_) | StoreError::Busy(_) => Class::unavailable(),
        StoreError::Refused(Violation::Unique(_), _) => {
            Class::plain(StatusCode::CONFLICT, "conflict", "A row with these values already exists.")
        }
        StoreError::Refused(Violation::Reference, _) => {
            Class::plain(StatusCode::BAD_REQUEST, "invalid_reference", "A referenced row does not exist.")
        }
        StoreError::Refused(Violation::Check, _) => {
            Class::plain(StatusCode::BAD_REQUEST, "rule_violated", "The values break a rule of the database.")
        }
        StoreError::Unreadable(_) | StoreError::Failed(_) => Class::internal(),
    }
}

impl Rule {
    const fn class(self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidState => (StatusCode::BAD_REQUEST, "invalid_state"),
            Self::InvalidReference => (StatusCode::BAD_REQUEST, "invalid_reference"),
            Self::Duplicate => (StatusCode::BAD_REQUEST, "duplicate"),
            Self::UnsupportedTokenType => (StatusCode::BAD_REQUEST, "unsupported_token_type"),
            Self::Violated => (StatusCode::BAD_REQUEST, "rule_violated"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict"),
            Self::IdempotencyConflict => (StatusCode::CONFLICT, "idempotency_conflict"),
        }
    }
}

/// How an answer is written that is an error of the HTTP library, not an [`ApiError`]. The status stays where it
/// has a text of its own; any other 4xx becomes a plain 400 text under its own status, any other 5xx a 500.
pub(crate) fn foreign(status: StatusCode) -> Class<'static> {
    match status {
        StatusCode::UNAUTHORIZED => Class::unauthorized("not_authenticated", "Not authenticated"),
        StatusCode::FORBIDDEN => Class::plain(status, "insufficient_permissions", "Insufficient permissions"),
        StatusCode::NOT_FOUND => Class::plain(status, "not_found", "Not Found"),
        StatusCode::METHOD_NOT_ALLOWED => Class::plain(status, "method_not_allowed", "Method Not Allowed"),
        StatusCode::PAYLOAD_TOO_LARGE => Class::plain(status, "payload_too_large", "Request body too large"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Class::unavailable(),
        other if other.is_client_error() => Class::plain(other, "bad_request", "Bad request"),
        _ => Class::internal(),
    }
}
