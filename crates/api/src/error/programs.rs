//! The part of the table of errors that programs have: API keys, and the feed of revocations.

use actix_web::http::StatusCode;
use sme_pulse_auth::service::{ApiKeyError, RevocationsError};

use super::{
    Issue, Loc,
    class::{Class, of_access, of_store},
};

pub(super) fn of_revocations(error: &RevocationsError) -> Class<'static> {
    match error {
        RevocationsError::Store(cause) => of_store(cause),
        RevocationsError::Late | RevocationsError::TooMany => Class::unavailable(),
        RevocationsError::Signing(_) => Class::internal(),
    }
}

pub(super) fn of_api_key(error: &ApiKeyError) -> Class<'static> {
    match error {
        ApiKeyError::NotFound => Class::plain(StatusCode::NOT_FOUND, "not_found", "API key not found"),
        ApiKeyError::NotGrantable(place) => {
            let place = vec![Loc::Name("body"), Loc::Name("permissions"), Loc::Index(*place)];
            Class::invalid(vec![Issue::new(place, "You cannot give a key this permission", "value_error")])
        }
        ApiKeyError::TooMany => {
            let text = "The organization has as many API keys as it may. Revoke one first.";
            Class::plain(StatusCode::CONFLICT, "conflict", text)
        }
        ApiKeyError::Access(error) => of_access(error),
        ApiKeyError::Store(cause) => of_store(cause),
    }
}
