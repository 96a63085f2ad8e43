//! Ids in paths.

use actix_web::HttpRequest;

use super::kinds::path_id;
use crate::error::{ApiError, Issue, Loc};

/// The integer in a path segment. One of any size or sign is accepted: without a row it is simply not found.
pub fn id(request: &HttpRequest, name: &'static str) -> Result<i64, ApiError> {
    read(request, name).map_err(|issue| ApiError::Invalid(vec![issue]))
}

pub(super) fn read(request: &HttpRequest, name: &'static str) -> Result<i64, Issue> {
    let segment = request.match_info().get(name).unwrap_or_default();
    path_id(segment).map_err(|fault| Issue::new(vec![Loc::Name("path"), Loc::Name(name)], fault.msg, fault.kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn any_integer_is_an_id_and_everything_else_is_an_issue() {
        for (segment, expected) in [
            ("42", Some(42)),
            ("-1", Some(-1)),
            ("0", Some(0)),
            ("+7", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", Some(0)),
            ("-9223372036854775809", Some(0)),
            ("99999999999999999999999999999999999999999999999999", Some(0)),
            ("", None),
            ("abc", None),
            ("1.0", None),
            ("1e3", None),
            ("--1", None),
            ("+-1", None),
            (" 1", None),
            ("٣", None),
            ("1\0", None),
        ] {
            let request = TestRequest::default().param("user_id", segment.to_owned()).to_http_request();
            match (id(&request, "user_id"), expected) {
                (Ok(id), Some(expected)) => assert_eq!(id, expected, "{segment:?}"),
                (Err(ApiError::Invalid(issues)), None) => {
                    let msg = "Input should be a valid integer, unable to parse string as an integer";
                    let loc = vec![Loc::Name("path"), Loc::Name("user_id")];
                    assert_eq!(issues, [Issue::new(loc, msg, "int_parsing")], "{segment:?}");
                }
                (other, _) => panic!("{segment:?}: {other:?}"),
            }
        }
    }
}
