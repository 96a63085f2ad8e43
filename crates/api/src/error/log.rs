//! What the log says about an error: one line, once, at the edge, with the request id and the client.

use std::error::Error;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::{ApiError, Issue, Loc};

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
        ApiError::TimedOut | ApiError::Unavailable(_) => {
            tracing::error!(request_id, client_ip = %client_ip, error = chain(error), "Service unavailable");
        }
        ApiError::Internal(_) => {
            tracing::error!(request_id, client_ip = %client_ip, error = chain(error), "Unexpected error");
        }
        ApiError::HeadTooLarge
        | ApiError::NotFound(_)
        | ApiError::MethodNotAllowed(_)
        | ApiError::Business(_)
        | ApiError::TooLarge
        | ApiError::NotImplemented(_)
        | ApiError::Overloaded
        | ApiError::DisallowedOrigin
        | ApiError::ClientGone => {}
    }
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
    fn a_chain_names_every_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("could not open a session")]
        struct Outer(#[source] std::fmt::Error);
        let text = chain(&Outer(std::fmt::Error));
        assert!(text.starts_with("could not open a session: an error occurred"), "{text}");
    }
}
