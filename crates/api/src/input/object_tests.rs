//! Tests of the object reader: one row of the catalogue after the other, then how they come together.

use chrono::NaiveDate;
use proptest::prelude::*;
use sme_pulse_domain::{money::Money, role::Role};

use super::super::*;
use crate::error::{ApiError, Issue, Loc};

fn read(json: &str) -> Object<'_> {
    Object::from_bytes(json.as_bytes(), true)
}

fn issues<T: std::fmt::Debug>(result: Result<T, ApiError>) -> Vec<Issue> {
    match result {
        Err(ApiError::Invalid(issues)) => issues,
        other => panic!("expected issues, not {other:?}"),
    }
}

/// The value, or message and type of the one issue, of a field `f` with the given JSON value.
fn one<K: Kind>(value: &str, kind: K) -> Result<K::Value, (String, &'static str)> {
    let json = format!("{{\"f\":{value}}}");
    let mut object = read(&json);
    let value = object.required("f", kind);
    object.finish(|| value).map_err(|error| {
        let ApiError::Invalid(issues) = error else { panic!("{error:?}") };
        let [issue] = issues.as_slice() else { panic!("{issues:?}") };
        assert_eq!(issue.loc, [Loc::Name("body"), Loc::Name("f")]);
        (issue.msg.clone(), issue.kind)
    })
}

fn refused<T>(msg: &str, kind: &'static str) -> Result<T, (String, &'static str)> {
    Err((msg.to_owned(), kind))
}

#[test]
fn texts_follow_their_rows() {
    let not_text = refused("Input should be a valid string", "string_type");
    for value in ["1", "true", "null", "[\"a\"]", "{\"$ne\":\"\"}"] {
        assert_eq!(one(value, text(1, 255)), not_text, "{value}");
    }
    assert_eq!(one("\" a b \"", text(1, 255)), Ok("a b".to_owned()));
    assert_eq!(one("\" a \"", untrimmed(1, 255)), Ok(" a ".to_owned()));
    assert_eq!(one("\"\\u0067r\\u00f6\\u00dfe\"", text(1, 5)), Ok("größe".to_owned()));
    let short = |least: &str| refused(&format!("String should have at least {least}"), "string_too_short");
    assert_eq!(one("\"\"", text(1, 255)), short("1 character"));
    assert_eq!(one("\"  \"", text(1, 255)), short("1 character"));
    assert_eq!(one("\"ö\"", text(2, 255)), short("2 characters"));
    let long = refused("String should have at most 255 characters", "string_too_long");
    assert_eq!(one(&format!("\"{}\"", "ö".repeat(256)), text(1, 255)), long);
    assert!(one(&format!("\"{}\"", "ö".repeat(255)), text(1, 255)).is_ok());
    assert_eq!(one("\"a\\u0000\"", text(1, 255)), refused("Text must not contain NUL characters", "value_error"));
}

#[test]
fn addresses_follow_their_row() {
    assert_eq!(one("\" Admin@SME.com \"", EMAIL).unwrap().as_str(), "admin@sme.com");
    let msg = "value is not a valid email address: An email address must have an @-sign.";
    assert_eq!(one("\"admin\"", EMAIL), refused(msg, "value_error"));
    assert_eq!(one("\"\"", EMAIL), refused(msg, "value_error"));
    assert_eq!(one("1", EMAIL), refused("Input should be a valid string", "string_type"));
    assert_eq!(one("\"a\\u0000@sme.com\"", EMAIL).unwrap_err().1, "value_error");
}

#[test]
fn passwords_are_never_changed_and_never_shown() {
    let exposed = |value: &str| one(value, SECRET).map(|secret| secret.expose().to_owned());
    assert_eq!(exposed("\"  a \""), Ok("  a ".to_owned()));
    assert_eq!(exposed("\"a\\u0000b\""), Ok("a\0b".to_owned()));
    assert_eq!(exposed(&format!("\"{}\"", "x".repeat(1_000_000))).unwrap().len(), 1_000_000);
    assert_eq!(exposed("\"\""), refused("String should have at least 1 character", "string_too_short"));
    assert_eq!(exposed("0"), refused("Input should be a valid string", "string_type"));
    assert_eq!(format!("{:?}", one("\"hunter2\"", SECRET).unwrap()), "***");
    let token = |value: &str| one(value, TOKEN).map(|secret| secret.expose().to_owned());
    assert_eq!(token("\" a \""), Ok(" a ".to_owned()));
    assert_eq!(token("\"a\\u0000b\""), refused("Text must not contain NUL characters", "value_error"));
    assert_eq!(token("\"\""), refused("String should have at least 1 character", "string_too_short"));
    let set = |value: &str| one(value, new_password(8, 72)).map(|secret| secret.expose().to_owned());
    assert_eq!(set("\"1234567\""), refused("String should have at least 8 characters", "string_too_short"));
    assert_eq!(set("\"       8\""), Ok("       8".to_owned()));
    assert_eq!(set(&format!("\"{}\"", "ö".repeat(36))).unwrap().len(), 72);
    let long = refused("Password must not be longer than 72 bytes", "value_error");
    assert_eq!(set(&format!("\"{}x\"", "ö".repeat(36))), long);
    assert_eq!(set("\"12345678\\u0000\""), refused("Password must not contain NUL characters", "value_error"));
}

#[test]
fn integers_and_ids_follow_their_rows() {
    let not_whole = refused("Input should be a valid integer", "int_type");
    for value in ["\"1\"", "1.0", "1e2", "true", "null", "[1]"] {
        assert_eq!(one(value, integer(0, 365)), not_whole, "{value}");
        assert_eq!(one(value, ID), not_whole, "{value}");
    }
    assert_eq!(one("-0", integer(0, 365)), Ok(0));
    assert_eq!(one("365", integer(0, 365)), Ok(365));
    let low = refused("Input should be greater than or equal to 0", "greater_than_equal");
    let high = refused("Input should be less than or equal to 365", "less_than_equal");
    let digits = "9".repeat(1_000);
    assert_eq!(one("-1", integer(0, 365)), low);
    assert_eq!(one(&format!("-{digits}"), integer(0, 365)), low);
    assert_eq!(one("366", integer(0, 365)), high);
    assert_eq!(one(&digits, integer(0, 365)), high);
    assert_eq!(one("9223372036854775808", integer(0, i64::MAX)).unwrap_err().1, "less_than_equal");
    assert_eq!(one("1", ID), Ok(1));
    assert_eq!(one(&digits, ID), Ok(i64::MAX));
    for value in ["0", "-0", "-1", "-99999999999999999999"] {
        assert_eq!(one(value, ID), refused("Input should be greater than 0", "greater_than"), "{value}");
    }
}

#[test]
fn booleans_and_words_follow_their_rows() {
    assert_eq!((one("true", BOOLEAN), one("false", BOOLEAN)), (Ok(true), Ok(false)));
    for value in ["1", "0", "\"true\"", "null"] {
        assert_eq!(one(value, BOOLEAN), refused("Input should be a valid boolean", "bool_type"), "{value}");
    }
    let role = word(&Role::ALL, Role::code);
    assert_eq!(one("\"cashier\"", role), Ok(Role::Cashier));
    let msg = "Input should be 'owner', 'admin', 'accountant' or 'cashier'";
    for value in ["\"Owner\"", "\"\"", "null", "1", "[\"owner\"]"] {
        assert_eq!(one(value, role), refused(msg, "literal_error"), "{value}");
    }
    let only = word(&["xlsx"], |format| format);
    assert_eq!(one("\"pdf\"", only), refused("Input should be 'xlsx'", "literal_error"));
}

#[test]
fn dates_are_read_in_one_form_only() {
    assert_eq!(one("\"2024-02-29\"", DATE), Ok(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()));
    for (value, reason) in [
        ("\"2024-2-9\"", "input is too short"),
        ("\"\"", "input is too short"),
        ("\"2024-02-29T00:00:00Z\"", "unexpected extra characters at the end of the input"),
        ("\"2024/02/29\"", "invalid date separator, expected `-`"),
        ("\"29.02.2024\"", "invalid character in year"),
        ("\"+024-02-29\"", "invalid character in year"),
        ("\"2024-x2-29\"", "invalid character in month"),
        ("\"2024-02-2x\"", "invalid character in day"),
        ("\"2023-02-29\"", "day value is outside expected range"),
        ("\"2023-13-01\"", "month value is outside expected range of 1-12"),
        ("\"0000-01-01\"", "year value is outside expected range of 1-9999"),
        ("20240229", "expected a text of the form YYYY-MM-DD"),
        ("null", "expected a text of the form YYYY-MM-DD"),
    ] {
        let msg = format!("Input should be a valid date or datetime, {reason}");
        assert_eq!(one(value, DATE), refused(&msg, "date_from_datetime_parsing"), "{value}");
    }
}

#[test]
fn amounts_follow_their_rows() {
    for (value, minor) in
        [("1250.5", 125_050), ("\"1250.50\"", 125_050), ("1e2", 10_000), ("9999999999999.99", Money::MAX_MINOR)]
    {
        assert_eq!(one(value, AMOUNT), Ok(Money::from_minor(minor)), "{value}");
    }
    for value in ["null", "true", "{}", "[1]", "\"\"", "\"NaN\"", "\"Infinity\"", "\"1,5\"", "\"1\\u0000\""] {
        assert_eq!(one(value, AMOUNT), refused("Input should be a valid decimal", "decimal_parsing"), "{value}");
    }
    let precise = refused("Decimal input should have no more than 2 decimal places", "decimal_max_places");
    let large = "Decimal input should have no more than 13 digits before the decimal point";
    assert_eq!(one("0.001", AMOUNT), precise);
    for value in ["1e30", "1e400", "10000000000000"] {
        assert_eq!(one(value, AMOUNT), refused(large, "decimal_whole_digits"), "{value}");
    }
    for value in ["0", "-1", "\"-0.01\"", "0.00"] {
        assert_eq!(one(value, AMOUNT), refused("Input should be greater than 0", "greater_than"), "{value}");
    }
    assert_eq!(one("0", AMOUNT_OR_ZERO), Ok(Money::ZERO));
    let negative = refused("Input should be greater than or equal to 0", "greater_than_equal");
    assert_eq!(one("-0.01", AMOUNT_OR_ZERO), negative);
    assert_eq!(one("-0.01", ANY_AMOUNT), Ok(Money::from_minor(-1)));
}

#[test]
fn all_failing_fields_come_together_in_the_order_of_reading() {
    let mut fields = read(r#"{"password":"","limit":"x","extra":{"a":1}}"#);
    let email = fields.required("email", EMAIL);
    let password = fields.required("password", SECRET);
    let limit = fields.or("limit", integer(1, 9), 5);
    assert!(email.is_none() && password.is_none() && limit.is_none());
    let issues = issues(fields.finish(|| Some(())));
    let expected = [
        ("email", "Field required", "missing"),
        ("password", "String should have at least 1 character", "string_too_short"),
        ("limit", "Input should be a valid integer", "int_type"),
    ];
    let expected = expected.map(|(name, msg, kind)| Issue::new(vec![Loc::Name("body"), Loc::Name(name)], msg, kind));
    assert_eq!(issues, expected);
}

#[test]
fn a_refused_body_is_the_only_issue_but_for_the_path() {
    let mut fields = Object::from_bytes(b"[]", true);
    let name = fields.required("name", text(1, 255));
    let list = fields.objects("items", 1, 2, |item| item.required("id", ID));
    let request = actix_web::test::TestRequest::default().param("user_id", "x").to_http_request();
    let id = fields.path_id(&request, "user_id");
    assert!(name.is_none() && list.is_none() && id.is_none());
    let kinds: Vec<_> = issues(fields.finish(|| Some(()))).into_iter().map(|issue| issue.kind).collect();
    assert_eq!(kinds, ["int_parsing", "model_attributes_type"]);
}

#[test]
fn absent_null_and_empty_mean_what_each_reader_says() {
    let mut fields = read(r#"{"null":null,"empty":" ","set":" x "}"#);
    let kind = text(1, 255);
    assert_eq!(fields.optional("absent", kind), Some(None));
    assert_eq!(fields.optional("null", kind), Some(None));
    assert_eq!(fields.optional("empty", kind), Some(None));
    assert_eq!(fields.optional("empty", EMAIL), Some(None));
    assert_eq!(fields.optional("set", kind), Some(Some("x".to_owned())));
    assert_eq!(fields.nullable("absent", kind), Some(None));
    assert_eq!(fields.nullable("null", kind), Some(Some(None)));
    assert_eq!(fields.nullable("empty", kind), Some(Some(None)));
    assert_eq!(fields.nullable("set", kind), Some(Some(Some("x".to_owned()))));
    assert_eq!(fields.changed("absent", kind), Some(None));
    assert_eq!(fields.changed("set", kind), Some(Some("x".to_owned())));
    assert_eq!(fields.or("absent", BOOLEAN, true), Some(true));
    assert!(fields.has("null") && !fields.has("absent"));
    assert!(fields.changed("null", kind).is_none() && fields.or("null", BOOLEAN, true).is_none());
    assert!(fields.changed("empty", kind).is_none());
    let kinds: Vec<_> = issues(fields.finish(|| Some(()))).into_iter().map(|issue| issue.kind).collect();
    assert_eq!(kinds, ["string_type", "bool_type", "string_too_short"]);
}

#[test]
fn issues_inside_lists_stand_under_their_index() {
    let mut fields = read(r#"{"allocations":[{"amount":1,"invoice_id":1},7,{"amount":0}],"ids":[1,"2"],"in":{"a":1}}"#);
    let lines = fields.objects("allocations", 1, 3, |line| {
        let amount = line.required("amount", AMOUNT);
        let invoice = line.required("invoice_id", ID);
        if amount.is_some() && invoice.is_none() {
            line.refuse(&[], "needs a target");
        }
        Some((amount?, invoice?))
    });
    let ids = fields.list("ids", 0, 10, ID);
    let inner = fields.object("in", |inner| inner.required("a", BOOLEAN));
    fields.refuse(&[Loc::Name("allocations")], "do not add up");
    assert!(lines.is_none() && ids.is_none() && inner.is_none());
    let all: Vec<_> = issues(fields.finish(|| Some(()))).into_iter().map(|issue| (issue.loc, issue.kind)).collect();
    let body = Loc::Name("body");
    let line = |index, name| vec![body.clone(), Loc::Name("allocations"), Loc::Index(index), Loc::Name(name)];
    assert_eq!(
        all,
        [
            (vec![body.clone(), Loc::Name("allocations"), Loc::Index(1)], "model_attributes_type"),
            (line(2, "amount"), "greater_than"),
            (line(2, "invoice_id"), "missing"),
            (vec![body.clone(), Loc::Name("ids"), Loc::Index(1)], "int_type"),
            (vec![body.clone(), Loc::Name("in"), Loc::Name("a")], "bool_type"),
            (vec![body.clone(), Loc::Name("allocations")], "value_error"),
        ]
    );
}

#[test]
fn a_rule_noted_inside_an_item_refuses_the_item_even_when_its_fields_are_fine() {
    let mut fields = read(r#"{"lines":[{"id":1}]}"#);
    let lines = fields.objects("lines", 1, 3, |line| {
        let id = line.required("id", ID);
        line.refuse(&[], "no");
        id
    });
    assert_eq!(lines, None);
    assert_eq!(issues(fields.finish(|| lines)).len(), 1);
}

#[test]
fn lists_are_measured_before_their_items_are_read() {
    let huge = format!("{{\"ids\":[{}0]}}", "1,".repeat(200_000));
    for (json, msg, kind) in [
        (r#"{"ids":[]}"#, "List should have at least 1 item", "too_short"),
        (r#"{"ids":[1,2,3]}"#, "List should have at most 2 items", "too_long"),
        (huge.as_str(), "List should have at most 2 items", "too_long"),
        (r#"{"ids":{}}"#, "Input should be a valid list", "list_type"),
        (r#"{"ids":null}"#, "Input should be a valid list", "list_type"),
        ("{}", "Field required", "missing"),
    ] {
        let mut fields = read(json);
        let ids = fields.list("ids", 1, 2, ID);
        let loc = vec![Loc::Name("body"), Loc::Name("ids")];
        assert_eq!(issues(fields.finish(|| ids)), [Issue::new(loc, msg, kind)]);
    }
    let mut fields = read(r#"{"ids":[2, 1]}"#);
    let ids = fields.list("ids", 1, 2, ID);
    assert_eq!(fields.finish(|| ids).unwrap(), [2, 1]);
}

#[test]
fn the_last_of_repeated_keys_counts_and_a_hundred_thousand_unknown_ones_do_not_matter() {
    let unknown: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":[{n},1e400],")).collect();
    let unknown = unknown.concat();
    let json = format!("{{{unknown}\"a\":1,\"\\u0061\":2}}");
    let mut fields = read(&json);
    let a = fields.required("a", ID);
    assert_eq!(fields.finish(|| a).unwrap(), 2);
}

#[test]
fn a_value_lost_without_an_issue_is_our_own_fault() {
    assert!(matches!(read("{}").finish(|| None::<()>), Err(ApiError::Internal(_))));
}

proptest! {
    #[test]
    fn whatever_a_field_holds_every_kind_reads_or_refuses_it(value in "(\"[^\"\\\\]{0,12}\"|-?[0-9]{1,25}(\\.[0-9]{1,3})?|null|true|\\[\\]|\\{\\})") {
        let json = format!("{{\"f\":{value}}}");
        let mut fields = read(&json);
        fields.required("f", text(1, 3));
        fields.required("f", EMAIL);
        fields.required("f", SECRET);
        fields.required("f", integer(-5, 5));
        fields.required("f", ID);
        fields.required("f", BOOLEAN);
        fields.required("f", DATE);
        fields.required("f", AMOUNT);
        fields.list("f", 0, 1, ID);
        fields.object("f", |inner| inner.required("f", ID));
        let result = fields.finish(|| Some(()));
        prop_assert!(!matches!(result, Err(ApiError::Internal(_))));
    }
}
