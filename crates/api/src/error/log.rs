//! What the log says about an error: one line, once, at the edge, with the request id and the client.

use std::error::Error;
use std::fmt::Write as _;
use std::net::IpAddr;

use actix_web::http::StatusCode;
use sme_pulse_auth::AccessError;
use sme_pulse_auth::password::HashError;
use sme_pulse_auth::service::{
    ApiKeyError, FactorError, FactorRefusal, InvitationError, LogInError, PasswordError, RefreshError, RefreshRefusal,
    Refusal, SignUpError, SwitchError, UserError,
};
use sme_pulse_domain::email::Email;
use sme_pulse_domain::ids::UserId;

use super::{ApiError, Issue, Loc};
use crate::trace;

/// Bytes after which no further refused field is named.
const PLACES: usize = 1_024;

/// Writes the line of an error, if it has one. Refusals that the access event tells well enough have none.
pub(crate) fn log(error: &ApiError, request_id: &str, client_ip: IpAddr) {
    match error {
        ApiError::Invalid(issues) => {
            let errors = places(issues);
            tracing::warn!(request_id, client_ip = %client_ip, errors, "Validation error");
        }
        ApiError::RateLimited(_) => tracing::warn!(request_id, client_ip = %client_ip, "Rate limit exceeded"),
        ApiError::BadRequest(reason) => {
            tracing::debug!(request_id, client_ip = %client_ip, reason, "Malformed request");
        }
        ApiError::TimedOut | ApiError::Unavailable(_) => log_failure(error, request_id, client_ip),
        ApiError::Access(refusal)
        | ApiError::Switch(SwitchError::Access(refusal))
        | ApiError::ApiKey(ApiKeyError::Access(refusal)) => {
            log_access_error(refusal, error, request_id, client_ip);
        }
        ApiError::LogIn(LogInError::Refused { refusal, email }) => {
            log_refused_log_in(*refusal, email, request_id, client_ip);
        }
        ApiError::Refresh(RefreshError::Refused(refusal)) => log_refused_refresh(*refusal, request_id, client_ip),
        ApiError::LogIn(LogInError::Slowed { email, .. }) => {
            let email = email.masked();
            tracing::warn!(request_id, client_ip = %client_ip, %email, "Log-in slowed down");
        }
        ApiError::Password(refused) => log_refused_password(refused, error, request_id, client_ip),
        ApiError::User(refused) => log_user_error(refused, error, request_id, client_ip),
        ApiError::Errands(_) => tracing::warn!(request_id, client_ip = %client_ip, "Errand queue full"),
        ApiError::Factor(refused) => log_factor_error(refused, error, request_id, client_ip),
        ApiError::Invitation(refused) => log_invitation_error(refused, error, request_id, client_ip),
        ApiError::SignUp(refused) => log_sign_up_error(refused, error, request_id, client_ip),
        ApiError::LogIn(_)
        | ApiError::Switch(_)
        | ApiError::ApiKey(_)
        | ApiError::Refresh(_)
        | ApiError::Session(_)
        | ApiError::Organization(_)
        | ApiError::Ledger(_)
        | ApiError::Keys(_)
        | ApiError::Revocations(_)
        | ApiError::Store(_)
        | ApiError::Internal(_) => {
            log_failure(error, request_id, client_ip);
        }
        ApiError::HeadTooLarge
        | ApiError::NotFound(_)
        | ApiError::MethodNotAllowed(_)
        | ApiError::Business(_)
        | ApiError::Kept(_)
        | ApiError::TooLarge
        | ApiError::NotImplemented(_)
        | ApiError::Overloaded
        | ApiError::Leaving
        | ApiError::DisallowedOrigin
        | ApiError::BodyTimedOut
        | ApiError::ClientGone => {}
    }
}

/// What is answered as a fault of ours or of the database is logged with its causes; a full queue and a refusal by a
/// rule are not faults.
fn log_failure(error: &ApiError, request_id: &str, client_ip: IpAddr) {
    if matches!(error, ApiError::LogIn(LogInError::Overloaded(_)) | ApiError::Factor(FactorError::Overloaded(_))) {
        tracing::warn!(request_id, client_ip = %client_ip, "Log-in queue full");
        return;
    }
    let trace_id = trace::told().map(tracing::field::display);
    match error.class().status {
        StatusCode::SERVICE_UNAVAILABLE => {
            tracing::error!(request_id, client_ip = %client_ip, trace_id, error = chain(error), "Service unavailable");
        }
        status if status.is_server_error() => {
            tracing::error!(request_id, client_ip = %client_ip, trace_id, error = chain(error), "Unexpected error");
        }
        _ => {}
    }
}

fn log_access_error(refusal: &AccessError, error: &ApiError, request_id: &str, client_ip: IpAddr) {
    let ip = client_ip;
    match refusal {
        AccessError::Unauthenticated => {}
        AccessError::InvalidToken(_) | AccessError::UnknownUser | AccessError::SessionEnded => {
            tracing::warn!(request_id, client_ip = %ip, reason = %refusal, "Invalid or expired JWT token");
        }
        AccessError::BadKey(reason) => {
            tracing::warn!(request_id, client_ip = %ip, reason = %reason, "Invalid API key");
        }
        AccessError::NotGranted => {
            tracing::warn!(request_id, client_ip = %ip, reason = %refusal, "Service account refused");
        }
        AccessError::OrganizationMismatch { user, claimed } => {
            let (user_id, claimed_org_id) = (user.get(), claimed.get());
            tracing::warn!(request_id, client_ip = %ip, user_id, claimed_org_id, "Organization mismatch");
        }
        AccessError::Inactive { user } => {
            tracing::warn!(request_id, client_ip = %ip, user_id = user.get(), "Inactive user");
        }
        AccessError::Forbidden { user, org } => {
            let (user_id, org_id) = (user.get(), org.get());
            tracing::warn!(request_id, client_ip = %ip, user_id, org_id, "Unauthorized role access");
        }
        AccessError::StepUpRequired { user, org, .. } => {
            let (user_id, org_id) = (user.get(), org.get());
            tracing::info!(request_id, client_ip = %ip, user_id, org_id, "Step-up required");
        }
        AccessError::Undecided(_) | AccessError::Misconfigured => log_failure(error, request_id, client_ip),
    }
}

fn log_refused_password(refused: &PasswordError, error: &ApiError, request_id: &str, client_ip: IpAddr) {
    match refused {
        PasswordError::Refused(_) => {
            let errors = "body.new_password value_error";
            tracing::warn!(request_id, client_ip = %client_ip, errors, "Validation error");
        }
        PasswordError::WrongPassword => {
            tracing::warn!(request_id, client_ip = %client_ip, reason = %refused, "Password not changed");
        }
        PasswordError::Slowed { user, .. } => {
            let user_id = user.get();
            tracing::warn!(request_id, client_ip = %client_ip, user_id, "Proof of identity slowed down");
        }
        PasswordError::Access(refusal) => log_access_error(refusal, error, request_id, client_ip),
        PasswordError::InvalidResetToken => {
            tracing::warn!(request_id, client_ip = %client_ip, reason = %refused, "Password not reset");
        }
        PasswordError::UnreadableHash(user) => {
            tracing::error!(request_id, user_id = user.get(), "A stored password hash cannot be read");
        }
        PasswordError::Hash(HashError::Overloaded(_)) => {
            tracing::warn!(request_id, client_ip = %client_ip, "Hashing queue full");
        }
        PasswordError::Overtaken | PasswordError::Hash(_) | PasswordError::Store(_) => {
            log_failure(error, request_id, client_ip);
        }
    }
}

fn log_user_error(refused: &UserError, error: &ApiError, request_id: &str, client_ip: IpAddr) {
    let invalid = |errors: &str| tracing::warn!(request_id, client_ip = %client_ip, errors, "Validation error");
    match refused {
        UserError::FirstPassword(_) => invalid("body.password value_error"),
        UserError::NewPassword(_) => invalid("body.new_password value_error"),
        UserError::Access(refusal) => log_access_error(refusal, error, request_id, client_ip),
        UserError::Hash(HashError::Overloaded(_)) => log_full_queue(request_id, client_ip),
        UserError::NotFound | UserError::EmailTaken | UserError::Rule(_) | UserError::Hash(_) | UserError::Store(_) => {
            log_failure(error, request_id, client_ip);
        }
    }
}

fn log_invitation_error(refused: &InvitationError, error: &ApiError, request_id: &str, client_ip: IpAddr) {
    match refused {
        InvitationError::Flooded { email, .. } => {
            let email = email.masked();
            tracing::warn!(request_id, client_ip = %client_ip, %email, "Invitation slowed down");
        }
        InvitationError::InvalidLink | InvitationError::HasAccount => {
            tracing::warn!(request_id, client_ip = %client_ip, reason = %refused, "Invitation refused");
        }
        InvitationError::Weak(_) => log_weak_password(request_id, client_ip),
        InvitationError::Access(refusal) => log_access_error(refusal, error, request_id, client_ip),
        InvitationError::Hash(HashError::Overloaded(_)) => log_full_queue(request_id, client_ip),
        InvitationError::NotFound
        | InvitationError::AlreadyMember
        | InvitationError::AlreadyInvited
        | InvitationError::Accepted
        | InvitationError::Revoked
        | InvitationError::Hash(_)
        | InvitationError::Store(_) => log_failure(error, request_id, client_ip),
    }
}

fn log_sign_up_error(refused: &SignUpError, error: &ApiError, request_id: &str, client_ip: IpAddr) {
    match refused {
        SignUpError::EmailTaken | SignUpError::TaxCodeTaken | SignUpError::InvalidLink | SignUpError::HasAccount => {
            tracing::warn!(request_id, client_ip = %client_ip, reason = %refused, "Sign-up refused");
        }
        SignUpError::Weak(_) => log_weak_password(request_id, client_ip),
        SignUpError::Errands(_) => tracing::warn!(request_id, client_ip = %client_ip, "Errand queue full"),
        SignUpError::Hash(HashError::Overloaded(_)) => log_full_queue(request_id, client_ip),
        SignUpError::Hash(_) | SignUpError::Store(_) => log_failure(error, request_id, client_ip),
    }
}

fn log_weak_password(request_id: &str, client_ip: IpAddr) {
    tracing::warn!(request_id, client_ip = %client_ip, errors = "body.password value_error", "Validation error");
}

fn log_full_queue(request_id: &str, client_ip: IpAddr) {
    tracing::warn!(request_id, client_ip = %client_ip, "Hashing queue full");
}

fn log_factor_error(refused: &FactorError, error: &ApiError, request_id: &str, client_ip: IpAddr) {
    let (user, refusal, text) = match refused {
        FactorError::LogInRefused { user, refusal } => (*user, *refusal, "Second factor refused"),
        FactorError::WrongProof { user, refusal } => (Some(*user), *refusal, "Wrong proof of identity"),
        FactorError::Slowed { user, .. } => {
            let user_id = user.get();
            return tracing::warn!(request_id, client_ip = %client_ip, user_id, "Proof of identity slowed down");
        }
        FactorError::Access(refusal) => return log_access_error(refusal, error, request_id, client_ip),
        _ => return log_failure(error, request_id, client_ip),
    };
    let (user_id, reason) = (user.map(UserId::get), refusal.reason());
    tracing::warn!(request_id, client_ip = %client_ip, user_id, reason, "{text}");
    match refusal {
        FactorRefusal::UnreadableSecret => {
            tracing::error!(request_id, user_id, "The secret of a second factor cannot be decrypted");
        }
        FactorRefusal::UnreadableHash => tracing::error!(request_id, user_id, "A stored password hash cannot be read"),
        _ => {}
    }
}

fn log_refused_log_in(refusal: Refusal, email: &Email, request_id: &str, client_ip: IpAddr) {
    let (reason, user) = match refusal {
        Refusal::UnknownEmail => ("unknown e-mail", None),
        Refusal::WrongPassword(user) => ("wrong password", Some(user)),
        Refusal::UnreadableHash(user) => ("unreadable password hash", Some(user)),
        Refusal::InactiveUser(user) => ("inactive user", Some(user)),
        Refusal::SuspendedOrganization(user) => ("suspended organization", Some(user)),
    };
    let user_id = user.map(UserId::get);
    let email = email.masked();
    tracing::warn!(request_id, client_ip = %client_ip, user_id, %email, reason, "Failed login attempt");
    if matches!(refusal, Refusal::UnreadableHash(_)) {
        tracing::error!(request_id, user_id, "A stored password hash cannot be read");
    }
}

fn log_refused_refresh(refusal: RefreshRefusal, request_id: &str, client_ip: IpAddr) {
    let (reason, user) = match refusal {
        RefreshRefusal::NotGenuine => ("not a refresh token of this service", None),
        RefreshRefusal::NoSession => ("the session does not exist", None),
        RefreshRefusal::Ended(user) => ("the session has ended", Some(user)),
        RefreshRefusal::Expired(user) => ("the session has expired", Some(user)),
        RefreshRefusal::Unknown(user) => ("newer than what the database knows", Some(user)),
        RefreshRefusal::NotAMember(user) => ("the user is no member of the organization", Some(user)),
        RefreshRefusal::InactiveUser(user) => ("inactive user", Some(user)),
        RefreshRefusal::SuspendedOrganization(user) => ("suspended organization", Some(user)),
        RefreshRefusal::Reused(user) => {
            let user_id = user.get();
            return tracing::warn!(request_id, client_ip = %client_ip, user_id, "Refresh token reused");
        }
    };
    let user_id = user.map(UserId::get);
    tracing::warn!(request_id, client_ip = %client_ip, user_id, reason, "Invalid refresh token");
}

/// An error and all its causes, outermost first.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}

/// `body.email value_error, body.items.0.id missing`: places and types, never messages or values.
fn places(issues: &[Issue]) -> String {
    let mut text = String::new();
    for issue in issues {
        // A list of any length can be wrong in every item.
        if text.len() > PLACES {
            text.push_str(", …");
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        for (step, loc) in issue.loc.iter().enumerate() {
            let dot = if step == 0 { "" } else { "." };
            let _ = match loc {
                Loc::Name(name) => write!(text, "{dot}{name}"),
                Loc::Index(index) => write!(text, "{dot}{index}"),
            };
        }
        let _ = write!(text, " {}", issue.kind);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validation_line_names_places_and_types_only() {
        let first = Issue::new(vec![Loc::Name("body"), Loc::Name("email")], "secret text", "value_error");
        let second = Issue::new(vec![Loc::Name("body"), Loc::Index(2)], "secret text", "missing");
        assert_eq!(places(&[first, second]), "body.email value_error, body.2 missing");
    }

    #[test]
    fn of_very_many_refused_fields_the_first_are_named() {
        let issue = |number| Issue::new(vec![Loc::Name("items"), Loc::Index(number)], "", "missing");
        let text = places(&(0..10_000).map(issue).collect::<Vec<_>>());
        assert!(text.len() < 1_100 && text.ends_with(" missing, …"), "{text}");
    }

    #[test]
    fn a_chain_names_every_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("could not open a session")]
        struct Outer(#[source] std::fmt::Error);
        let text = chain(&Outer(std::fmt::Error));
        assert!(text.starts_with("could not open a session: an error occurred"), "{text}");
    }
}
