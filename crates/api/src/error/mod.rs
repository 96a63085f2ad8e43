//! Errors to answers, once: every failure of the shell and of the layers below becomes one [`ApiError`], and one
//! `match` without a wildcard arm gives it its status, code and text (`docs/api.md`). The final body is
//! written by the outermost layer (`edge`), which alone knows the request id.

mod class;
mod envelope;
mod issue;
mod kept;
mod ledger;
mod log;
mod programs;

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use sme_pulse_auth::AccessError;
use sme_pulse_auth::service::{
    ApiKeyError, ErrandsFull, FactorError, InvitationError, KeySetError, LogInError, OrganizationError, PasswordError,
    RefreshError, RevocationsError, SessionError, SignUpError, SwitchError, UserError,
};
use sme_pulse_finance::LedgerError;
use sme_pulse_persistence::StoreError;

pub use issue::{Issue, Loc};
pub use kept::KeptRefusal;

pub(crate) use class::foreign;
pub(crate) use envelope::render;
pub(crate) use log::{chain, log};

/// Everything that can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request line, query or framing is malformed; the reason is for the log only.
    #[error("malformed request: {0}")]
    BadRequest(&'static str),
    /// The request head is over its limit.
    #[error("request head too large")]
    HeadTooLarge,
    /// One or more inputs are wrong.
    #[error("{} input(s) refused", .0.len())]
    Invalid(Vec<Issue>),
    /// No such path or row; the text is shown (`Not Found`, `Invoice not found`).
    #[error("{0}")]
    NotFound(&'static str),
    /// The path exists, the method does not; the value of `Allow`.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// A rule of the business refuses (400 or 409).
    #[error("{}", .0.text)]
    Business(Business),
    /// The body is over the limit.
    #[error("request body too large")]
    TooLarge,
    /// A budget is used up; the window in seconds.
    #[error("rate limit exceeded")]
    RateLimited(u64),
    /// A part of the service is not there; the sentence is shown.
    #[error("{0}")]
    NotImplemented(&'static str),
    /// The handler took longer than allowed.
    #[error("the handler exceeded its time")]
    TimedOut,
    /// The client did not send its whole body in time.
    #[error("the body did not arrive in time")]
    BodyTimedOut,
    /// A bounded queue is full: expected under load, so it is answered at once and not logged as a fault.
    #[error("a queue is full")]
    Overloaded,
    /// The server has been told to stop and wants no more work: expected, so it is not logged as a fault.
    #[error("the server is about to stop")]
    Leaving,
    /// Something the service needs, such as the database, does not answer; the cause is for the log only.
    #[error("unavailable: {0}")]
    Unavailable(Reason),
    /// A preflight from an origin that is not allowed.
    #[error("origin not allowed")]
    DisallowedOrigin,
    /// The client went away before its request was complete.
    #[error("the client went away")]
    ClientGone,
    /// The caller is not signed in, or may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The log-in failed.
    #[error(transparent)]
    LogIn(#[from] LogInError),
    /// There are no new tokens.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// Something about the second factor, or a proof of who one is, failed.
    #[error(transparent)]
    Factor(#[from] FactorError),
    /// A session could not be ended.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A password could not be changed or set anew.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Too much waits to be done after its answer.
    #[error(transparent)]
    Errands(#[from] ErrandsFull),
    /// The organization's data sheet could not be read or written.
    #[error(transparent)]
    Organization(#[from] OrganizationError),
    /// A user of the organization could not be read, added or changed.
    #[error(transparent)]
    User(#[from] UserError),
    /// Something about customers, suppliers or accounts could not be done.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The refusal that the same request got before.
    #[error("{}", .0.text)]
    Kept(KeptRefusal),
    /// Something about an invitation was refused.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// Something about a key for programs was refused.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
    /// A company could not sign up.
    #[error(transparent)]
    SignUp(#[from] SignUpError),
    /// There is no session in another organization.
    #[error(transparent)]
    Switch(#[from] SwitchError),
    /// The keys of tokens cannot be told.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// What was taken back cannot be told.
    #[error(transparent)]
    Revocations(#[from] RevocationsError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of our own.
    #[error("internal error: {0}")]
    Internal(Reason),
}

/// A refusal by a rule: status, stable code and the sentence a person reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Business {
    /// Which rule.
    pub code: Rule,
    /// One sentence, without submitted values.
    pub text: Cow<'static, str>,
}

/// The codes of business refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// 400: the object is not in the state the call needs.
    InvalidState,
    /// 400: the input points at something that does not exist.
    InvalidReference,
    /// 400: a value that must be unique is taken.
    Duplicate,
    /// 400: tokens of this kind are not revoked here (RFC 7009 section 2.2.1).
    UnsupportedTokenType,
    /// 400: any other rule.
    Violated,
    /// 409: another write, or a uniqueness that is no input of a form.
    Conflict,
    /// 409: the idempotency key was used for something else, or its first call still runs.
    IdempotencyConflict,
}

impl ApiError {
    /// A refusal by a rule.
    pub fn rule(code: Rule, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Business(Business { code, text: text.into() })
    }

    /// A fault of our own, with what the log should say.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::Internal(Reason(cause.into()))
    }

    /// Something needed does not answer, with what the log should say.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self::Unavailable(Reason(cause.into()))
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.class().status
    }

    /// Status and headers without a body: the edge adds the envelope, because only it knows the request id.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        self.class().write_headers(response.headers_mut());
        response
    }
}

/// The text of an internal error; for the log only.
#[derive(Debug)]
pub struct Reason(pub String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
