//! From body bytes to the text of one JSON object, or the one issue that says why not.

use serde_json::value::RawValue;

use super::scan;
use crate::error::{Issue, Loc};

/// The text of a valid JSON object. `readable` says that the content type promises JSON.
pub(super) fn object(bytes: &[u8], readable: bool) -> Result<&str, Issue> {
    if bytes.is_empty() {
        return Err(missing());
    }
    if !readable {
        return Err(not_an_object(vec![Loc::Name("body")]));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.valid_up_to()))?;
    scan::check(text).map_err(malformed)?;
    let value: &RawValue = serde_json::from_str(text).map_err(|error| malformed(offset(text, &error)))?;
    match value.get() {
        object if object.starts_with('{') => Ok(object),
        "null" => Err(missing()),
        _ => Err(not_an_object(vec![Loc::Name("body")])),
    }
}

fn missing() -> Issue {
    Issue::new(vec![Loc::Name("body")], "Field required", "missing")
}

fn malformed(offset: usize) -> Issue {
    Issue::new(vec![Loc::Name("body"), Loc::Index(offset)], "JSON decode error", "json_invalid")
}

/// The issue of a value that should be an object.
pub(super) fn not_an_object(loc: Vec<Loc>) -> Issue {
    let msg = "Input should be a valid dictionary or object to extract fields from";
    Issue::new(loc, msg, "model_attributes_type")
}

/// The offset of the first byte that does not fit, the length when the text ends too early.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    if error.is_eof() {
        return text.len();
    }
    let lines_before = error.line().saturating_sub(1);
    let line_start = match lines_before.checked_sub(1) {
        None => 0,
        Some(last) => text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').nth(last).map_or(0, |(at, _)| at + 1),
    };
    line_start.saturating_add(error.column().saturating_sub(1)).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(bytes: &[u8]) -> Result<&str, (Vec<Loc>, &'static str)> {
        object(bytes, true).map_err(|issue| (issue.loc, issue.kind))
    }

    fn invalid(at: usize) -> Result<&'static str, (Vec<Loc>, &'static str)> {
        Err((vec![Loc::Name("body"), Loc::Index(at)], "json_invalid"))
    }

    fn body(kind: &'static str) -> Result<&'static str, (Vec<Loc>, &'static str)> {
        Err((vec![Loc::Name("body")], kind))
    }

    #[test]
    fn a_body_is_an_object_or_the_table_says_why_not() {
        let deep = |levels: usize| format!("{}{}", r#"{"a":"#.repeat(levels), "1".to_owned() + &"}".repeat(levels));
        for (bytes, expected) in [
            (&b""[..], body("missing")),
            (b" null ", body("missing")),
            (b"[]", body("model_attributes_type")),
            (b"\"x\"", body("model_attributes_type")),
            (b"1e400", body("model_attributes_type")),
            (b"true", body("model_attributes_type")),
            (b" {}\n", Ok("{}")),
            (b"{\"a\":1e400}", Ok("{\"a\":1e400}")),
            (b"   ", invalid(3)),
            (b"{\"a\":1", invalid(6)),
            (b"{\"a\" 1}", invalid(5)),
            (b"{\n\n\"a\":nul}", invalid(10)),
            (b"{}{}", invalid(2)),
            (b"{'a':1}", invalid(1)),
            (b"{\"a\":01}", invalid(6)),
            (b"{\"a\":NaN}", invalid(5)),
            (b"\xef\xbb\xbf{}", invalid(0)),
            (b"{\"a\":\"\xff\"}", invalid(6)),
            (br#"{"a":"\ud800"}"#, invalid(6)),
            (b"{\"a\":\"\x01\"}", invalid(6)),
            (deep(129).as_bytes(), invalid(128 * 5)),
        ] {
            assert_eq!(kind(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
        assert!(kind(deep(128).as_bytes()).is_ok());
    }

    #[test]
    fn another_content_type_is_no_object_but_nothing_at_all_is_missing() {
        assert_eq!(object(b"{}", false).unwrap_err().kind, "model_attributes_type");
        assert_eq!(object(b"", false).unwrap_err().kind, "missing");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = object(&bytes, true);
        }

        #[test]
        fn nearly_json_is_read_or_refused_at_an_offset_within_it(text in "[\\[\\]{}:,\"\\\\unlde0-9 .a\n-]{0,80}") {
            if let Err(issue) = object(text.as_bytes(), true)
                && let Some(Loc::Index(at)) = issue.loc.get(1)
            {
                prop_assert!(*at <= text.len());
            }
        }
    }
}
