//! The body of every answer that is not a success: one envelope, keys in this order, compact.

use actix_web::web::Bytes;
use serde::Serialize;

use super::class::{Class, Detail};

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a str,
    detail: &'a Detail<'a>,
    request_id: &'a str,
    error_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// The body for an error under a request id.
pub(crate) fn render(class: &Class<'_>, request_id: &str) -> Bytes {
    let same = Detail::Text(class.error.as_ref().into());
    let detail = if matches!(class.detail, Detail::Same) { &same } else { &class.detail };
    let envelope = Envelope {
        error: &class.error,
        detail,
        request_id,
        error_code: class.code,
        retry_after: class.body_retry_after(),
    };
    // Strings, integers and sequences of them cannot fail to serialize; an empty body is still a clean answer.
    Bytes::from(serde_json::to_vec(&envelope).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::{ApiError, Issue, Loc, Rule};
    use super::*;

    fn body(error: &ApiError) -> String {
        String::from_utf8(render(&error.class(), "ID").to_vec()).unwrap()
    }

    #[test]
    fn the_keys_stand_in_their_fixed_order_without_spaces() {
        assert_eq!(
            body(&ApiError::NotFound("Invoice not found")),
            r#"{"error":"Invoice not found","detail":"Invoice not found","request_id":"ID","error_code":"not_found"}"#
        );
    }

    #[test]
    fn a_refusal_by_the_limit_ends_with_the_constant_window() {
        let want = concat!(
            r#"{"error":"Too many requests","detail":"Rate limit exceeded. Please try again in 60 seconds.","#,
            r#""request_id":"ID","error_code":"rate_limited","retry_after":60}"#
        );
        assert_eq!(body(&ApiError::RateLimited(60)), want);
    }

    #[test]
    fn a_503_has_no_retry_after_in_its_body() {
        let want = concat!(
            r#"{"error":"Service unavailable","detail":"The service is temporarily unavailable. Please try again.","#,
            r#""request_id":"ID","error_code":"service_unavailable"}"#
        );
        assert_eq!(body(&ApiError::unavailable("connection refused by db.internal")), want);
        assert_eq!(body(&ApiError::Overloaded), want);
    }

    #[test]
    fn validation_items_have_exactly_three_keys() {
        let loc = vec![Loc::Name("body"), Loc::Name("invoices"), Loc::Index(3)];
        let issue = Issue::new(loc, "Field required", "missing");
        let want = concat!(
            r#"{"error":"Validation error","detail":[{"loc":["body","invoices",3],"msg":"Field required","#,
            r#""type":"missing"}],"request_id":"ID","error_code":"validation_error"}"#
        );
        assert_eq!(body(&ApiError::Invalid(vec![issue])), want);
    }

    #[test]
    fn the_cause_of_an_internal_error_stays_inside() {
        let text = body(&ApiError::internal("relation \"core.users\" does not exist"));
        assert!(text.contains("An unexpected error occurred.") && !text.contains("users"));
    }

    #[test]
    fn a_refusal_by_a_rule_shows_its_sentence() {
        let error = ApiError::rule(Rule::Conflict, "Tax code \"X\" is taken");
        assert_eq!(error.class().status.as_u16(), 409);
        assert!(body(&error).contains(r#""error":"Tax code \"X\" is taken""#));
    }
}
