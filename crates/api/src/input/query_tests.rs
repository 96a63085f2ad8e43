//! Tests of the query reader.

use proptest::prelude::*;

use super::*;
use crate::{
    error::Issue,
    input::{BOOLEAN, DATE, ID, text, untrimmed},
};

fn issue(name: &'static str, msg: &str, kind: &'static str) -> Issue {
    Issue::new(vec![Loc::Name("query"), Loc::Name(name)], msg, kind)
}

fn refused<T: std::fmt::Debug>(result: Result<T, ApiError>) -> Vec<Issue> {
    match result {
        Err(ApiError::Invalid(issues)) => issues,
        other => panic!("expected issues, not {other:?}"),
    }
}

#[test]
fn pages_have_defaults_and_bounds() {
    let page = |text: &str| {
        let mut query = Query::parse(text).unwrap();
        let page = query.page(500);
        query.finish(|| page)
    };
    assert_eq!(page("").unwrap(), Page { skip: 0, limit: 100 });
    assert_eq!(page("limit=500&skip=7").unwrap(), Page { skip: 7, limit: 500 });
    assert_eq!(page("limit=1&limit=2").unwrap(), Page { skip: 0, limit: 2 });
    let parsing = "Input should be a valid integer, unable to parse string as an integer";
    for (text, expected) in [
        ("skip=-1", vec![issue("skip", "Input should be greater than or equal to 0", "greater_than_equal")]),
        ("limit=0", vec![issue("limit", "Input should be greater than or equal to 1", "greater_than_equal")]),
        ("limit=501", vec![issue("limit", "Input should be less than or equal to 500", "less_than_equal")]),
        ("limit=1e2", vec![issue("limit", parsing, "int_parsing")]),
        ("limit=", vec![issue("limit", parsing, "int_parsing")]),
        ("limit=1.5&skip=x", vec![issue("skip", parsing, "int_parsing"), issue("limit", parsing, "int_parsing")]),
    ] {
        assert_eq!(refused(page(text)), expected, "{text}");
    }
    let beyond = refused(page(&format!("skip={}", "9".repeat(50))));
    assert_eq!(beyond, [issue("skip", "Input should be less than or equal to 9223372036854775807", "less_than_equal")]);
}

#[test]
fn spaces_and_commas_come_in_every_spelling() {
    for text in ["search=a+b,c", "search=a%20b%2Cc", "search=a%20b%2cc", "%73earch=a+b,c&other=1"] {
        let mut query = Query::parse(text).unwrap();
        assert_eq!(query.optional("search", untrimmed(0, 50)), Some(Some("a b,c".to_owned())), "{text}");
    }
}

#[test]
fn malformed_encoding_is_a_bad_request() {
    for text in ["a=%", "a=%2", "a=%zz", "a=%+1", "%ff=1", "a=%c3%28", "a=1&b=%e2%82"] {
        assert!(matches!(Query::parse(text), Err(ApiError::BadRequest(_))), "{text}");
    }
}

#[test]
fn an_empty_filter_is_absent_but_an_empty_truth_value_is_not() {
    let mut query = Query::parse("status=&customer_id=&date_from=&is_active=&flag").unwrap();
    assert_eq!(query.optional("status", text(0, 50)), Some(None));
    assert_eq!(query.optional("customer_id", ID), Some(None));
    assert_eq!(query.optional("date_from", DATE), Some(None));
    assert_eq!(query.optional("is_active", BOOLEAN), None);
    assert_eq!(query.optional("flag", BOOLEAN), None);
    assert_eq!(query.required("status", text(0, 50)), None);
    let msg = "Input should be a valid boolean, unable to interpret input";
    let expected = [
        issue("is_active", msg, "bool_parsing"),
        issue("flag", msg, "bool_parsing"),
        issue("status", "Field required", "missing"),
    ];
    assert_eq!(refused(query.finish(|| Some(()))), expected);
}

#[test]
fn truth_has_twelve_spellings_in_any_case() {
    for (word, expected) in [
        ("true", true),
        ("1", true),
        ("on", true),
        ("YES", true),
        ("T", true),
        ("y", true),
        ("False", false),
        ("0", false),
        ("off", false),
        ("no", false),
        ("f", false),
        ("N", false),
    ] {
        let mut query = Query::parse(&format!("b={word}")).unwrap();
        assert_eq!(query.or("b", BOOLEAN, !expected), Some(expected), "{word}");
    }
    for word in ["2", "ja", "tru", "%20true", "01"] {
        let mut query = Query::parse(&format!("b={word}")).unwrap();
        assert_eq!(query.or("b", BOOLEAN, true), None, "{word}");
    }
}

#[test]
fn filters_take_any_integer_and_no_nul() {
    let mut query = Query::parse("a=-5&b=99999999999999999999&c=x%00&d=2024-02-30").unwrap();
    assert_eq!(query.optional("a", ID), Some(Some(-5)));
    assert_eq!(query.optional("b", ID), Some(Some(i64::MAX)));
    assert_eq!(query.optional("c", text(0, 50)), None);
    assert_eq!(query.optional("d", DATE), None);
    let kinds: Vec<_> = refused(query.finish(|| Some(()))).into_iter().map(|issue| issue.kind).collect();
    assert_eq!(kinds, ["value_error", "date_from_datetime_parsing"]);
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(text in "[ -~]{0,60}") {
        if let Ok(mut query) = Query::parse(&text) {
            query.page(500);
            query.optional("a", untrimmed(0, 5));
            let _ = query.finish(|| Some(()));
        }
    }

    #[test]
    fn what_a_browser_encodes_comes_back(value in "\\PC{0,30}") {
        let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
        let mut query = Query::parse(&format!("v={encoded}")).unwrap();
        let expected = if value.is_empty() { None } else { Some(value) };
        prop_assert_eq!(query.optional("v", untrimmed(0, 1_000)), Some(expected));
    }
}
