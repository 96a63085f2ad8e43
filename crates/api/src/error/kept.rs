//! Refusals that are kept for repeated requests: status, code and sentence, without what belongs to one request.

use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use sme_pulse_finance::KeptAnswer;

use super::ApiError;

/// The codes of refusals that are kept: those by a rule, on the second look at a request that was understood and allowed.
/// A conflict about the key itself is none of them.
const CODES: [&str; 6] = ["invalid_state", "invalid_reference", "duplicate", "rule_violated", "not_found", "conflict"];

/// A refusal that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRefusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) text: String,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    code: String,
    text: String,
}

impl ApiError {
    /// What to keep of this refusal; `None` for what may go better the next time.
    pub(crate) fn to_kept(&self) -> Option<KeptAnswer> {
        let class = self.class();
        CODES.contains(&class.code).then(|| {
            let stored = Stored { code: class.code.to_owned(), text: class.error.into_owned() };
            // Strings cannot fail to serialize.
            KeptAnswer { status: class.status.as_u16(), body: serde_json::to_string(&stored).unwrap_or_default() }
        })
    }

    /// The refusal that was kept; a fault of ours when it cannot be read.
    pub(crate) fn of_kept(kept: &KeptAnswer) -> Self {
        let read = || {
            let stored: Stored = serde_json::from_str(&kept.body).ok()?;
            let code = CODES.into_iter().find(|code| *code == stored.code)?;
            Some(KeptRefusal { status: StatusCode::from_u16(kept.status).ok()?, code, text: stored.text })
        };
        read().map_or_else(|| Self::internal("a kept refusal cannot be read"), Self::Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Rule;

    #[test]
    fn a_refusal_by_a_rule_comes_back_as_it_was() {
        let refusal = ApiError::rule(Rule::Duplicate, "A customer with this code already exists.");
        let again = ApiError::of_kept(&refusal.to_kept().unwrap());
        let [first, second] = [&refusal, &again].map(|error| {
            let class = error.class();
            (class.status, class.code, class.error.into_owned())
        });
        assert_eq!(first, second);
    }

    #[test]
    fn what_may_go_better_the_next_time_is_not_kept() {
        for error in [
            ApiError::internal("x"),
            ApiError::unavailable("x"),
            ApiError::RateLimited(1),
            ApiError::Invalid(Vec::new()),
            ApiError::rule(Rule::IdempotencyConflict, "x"),
        ] {
            assert_eq!(error.to_kept(), None, "{error:?}");
        }
    }

    #[test]
    fn what_nobody_can_read_is_a_fault_of_ours() {
        let kept = KeptAnswer { status: 400, body: "{}".to_owned() };
        assert_eq!(ApiError::of_kept(&kept).class().status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
