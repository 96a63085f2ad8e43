//! What is refused as 422, item by item, and what is not. Log-in has the simplest body, so it stands for all.

use serde_json::{Value, json};
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, PASSWORD, TestApp};

const DICT: &str = "Input should be a valid dictionary or object to extract fields from";
const NO_AT: &str = "value is not a valid email address: An email address must have an @-sign.";

fn item(loc: &Value, msg: &str, kind: &str) -> String {
    format!(r#"{{"loc":{loc},"msg":"{msg}","type":"{kind}"}}"#)
}

fn field(name: &str, msg: &str, kind: &str) -> String {
    item(&json!(["body", name]), msg, kind)
}

fn whole(msg: &str, kind: &str) -> String {
    item(&json!(["body"]), msg, kind)
}

fn at(offset: usize) -> String {
    item(&json!(["body", offset]), "JSON decode error", "json_invalid")
}

async fn send(app: &TestApp, content_type: Option<&str>, body: Vec<u8>) -> Answer {
    let request = app.request("POST", "/api/v1/auth/login").body(body);
    TestApp::send(content_type.into_iter().fold(request, |request, kind| request.header("content-type", kind))).await
}

fn assert_items(answer: &Answer, items: &[String], what: &str) {
    let id = answer.one("x-request-id");
    let items = items.join(",");
    let expected = format!(
        r#"{{"error":"Validation error","detail":[{items}],"request_id":"{id}","error_code":"validation_error"}}"#
    );
    assert_eq!((answer.status, &answer.text), (422, &expected), "{what}");
    assert_eq!(answer.one("cache-control"), "no-store");
}

on_both_databases! {
    async fn all_failing_fields_are_reported_together_in_field_order_without_values(app: TestApp) {
        let missing = |name| field(name, "Field required", "missing");
        let no_string = |name| field(name, "Input should be a valid string", "string_type");
        let short = field("password", "String should have at least 1 character", "string_too_short");
        let email = |reason: &str| field("email", &format!("value is not a valid email address: {reason}"), "value_error");
        let reserved = "The part after the @-sign is a special-use or reserved name that cannot be used with email.";
        let mut cases = vec![
            (json!({}), vec![missing("email"), missing("password")]),
            (json!({"password": "S3cret"}), vec![missing("email")]),
            (json!({"email": "a@b.com"}), vec![missing("password")]),
            (json!({"password": "", "email": "S3cret"}), vec![field("email", NO_AT, "value_error"), short.clone()]),
            (json!({"email": "a@b.com", "password": ""}), vec![short]),
            (json!({"Email": "S3cret@b.com", "PASSWORD": "S3cret", "e\u{0}mail": 1}), vec![missing("email"), missing("password")]),
        ];
        for odd in [json!(null), json!(true), json!(0), json!(1.5), json!(["S3cret"]), json!({"$ne": ""}), json!({"S3cret": "$gt"})] {
            cases.push((json!({"email": odd, "password": odd}), vec![no_string("email"), no_string("password")]));
        }
        let addresses = [
            ("", "An email address must have an @-sign."), ("S3cret@", ""), ("@S3cret.com", ""), ("S3cret@@x.com", ""), ("a@S3cret", ""), ("\"S3cret\"@x.com", ""),
            ("S3cret@[127.0.0.1]", ""), ("Me <S3cret@x.com>", ""), ("S3cret@x..com", ""), ("S3cret\0@x.com", ""), ("S3cret@x.com\0", ""), ("a\n@S3cret.com", ""), ("S3 cret@x.com", ""),
            ("S3cret@x.test", reserved), ("S3cret@x.LOCAL", reserved), ("S3cret@a.b.invalid", reserved), ("S3cret@x.onion", reserved), ("S3cret@1.0.0.127.in-addr.arpa", reserved), ("S3cret@my.localhost", reserved),
        ];
        for (address, reason) in addresses {
            let answer = app.log_in(address, "S3cret").await;
            assert_eq!((answer.status, answer.json()["detail"].as_array().unwrap().len()), (422, 1), "{address:?}");
            assert!(!answer.text.contains("S3cret"), "{}", answer.text);
            if !reason.is_empty() {
                assert_items(&answer, &[email(reason)], address);
            }
        }
        for (address, status) in [("a".repeat(64) + "@x.com", 401), ("a".repeat(65) + "@x.com", 422), ("é".repeat(64) + "@x.com", 401), (format!("a@{}com", "b.".repeat(124)), 401), (format!("a@{}com", "b.".repeat(125)), 422), ("a@".repeat(400_000), 422), (format!("a@{}", ".b".repeat(400_000)), 422)] {
            assert_eq!(app.log_in(&address, "S3cret").await.status, status, "{address:.80}");
        }
        for (body, items) in cases {
            let answer = app.post("/auth/login", &body).await;
            assert_items(&answer, &items, &body.to_string());
            assert!(!answer.text.contains("S3cret") && !answer.text.contains("$gt"));
        }
    }

    async fn a_body_that_is_no_json_object_is_one_item(app: TestApp) {
        let right = json!({"email": "admin@sme.com", "password": PASSWORD}).to_string();
        let cases: Vec<(&[u8], String)> = vec![
            (b"", whole("Field required", "missing")),
            (b"null", whole("Field required", "missing")),
            (b" \n null ", whole("Field required", "missing")),
            (b"[]", whole(DICT, "model_attributes_type")),
            (b"[{\"email\":\"a@b.com\"}]", whole(DICT, "model_attributes_type")),
            (b"\"text\"", whole(DICT, "model_attributes_type")),
            (b"1", whole(DICT, "model_attributes_type")),
            (b"true", whole(DICT, "model_attributes_type")),
            (b"{", at(1)),
            (b"   ", at(3)),
            (b"{\"email\":\"a@b.com\",}", at(19)),
            (b"{\"email\" \"a@b.com\"}", at(9)),
            (b"{'email':1}", at(1)),
            (b"{}x", at(2)),
            (b"email=a&password=b", at(0)),
            (b"\xef\xbb\xbf{}", at(0)),
            (b"{\"email\":\"\xff\"}", at(10)),
            (b"{\"email\":\"\xc3\"}", at(10)),
            (b"{\"email\":\"\xed\xa0\x80\"}", at(10)),
            (br#"{"email":"\ud800"}"#, at(10)),
            (br#"{"email":"\udc00\ud800"}"#, at(10)),
            (br#"{"other":["\ud83d"]}"#, at(11)),
            (b"{\"email\":\"a\x00b\"}", at(11)),
            (b"{\"email\":\"a\nb\"}", at(11)),
            (b"{\"n\":NaN}", at(5)),
            (b"\x00", at(0)),
            (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", at(1)),
        ];
        for (body, expected) in cases {
            for kind in [Some("application/json"), None] {
                assert_items(&send(&app, kind, body.to_vec()).await, std::slice::from_ref(&expected), &String::from_utf8_lossy(body));
            }
        }
        for kind in ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=\"x\"", "application/ld+json", "text/x+json; a=b", "application/vnd.api+JSON"] {
            assert_eq!(send(&app, Some(kind), right.clone().into_bytes()).await.status, 200, "{kind}");
        }
        assert_eq!(send(&app, None, right.clone().into_bytes()).await.status, 200);
        for kind in ["text/plain", "text/json", "application/jsonx", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "json", "*/*", "application/+json", "text/html, application/json"] {
            assert_items(&send(&app, Some(kind), right.clone().into_bytes()).await, &[whole(DICT, "model_attributes_type")], kind);
        }
        let compressed = app.request("POST", "/auth/login").header("content-encoding", "gzip").body(right);
        assert_eq!(TestApp::send(compressed).await.status, 422);
    }

    async fn depth_and_breadth_are_bounded_and_the_last_of_repeated_members_counts(app: TestApp) {
        let with = |extra: String| format!(r#"{{"x":{extra},"email":"admin@sme.com","password":"{PASSWORD}"}}"#).into_bytes();
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(send(&app, None, with(nested(127))).await.status, 200, "128 levels with the object itself");
        assert_items(&send(&app, None, with(nested(128))).await, &[at(5 + 127)], "129 levels");
        assert_items(&send(&app, None, with("[".repeat(500_000))).await, &[at(5 + 127)], "half a million levels");
        assert_items(&send(&app, None, r#"{"a":"#.repeat(100_000).into_bytes()).await, &[at(128 * 5)], "100,000 objects");
        let keys = (0..100_000).fold(String::new(), |keys, key| keys + &format!(r#""{key:x}":0,"#));
        let wide = format!(r#"{{{keys}"email":"admin@sme.com","password":"{PASSWORD}"}}"#);
        assert_eq!(send(&app, None, wide.into_bytes()).await.status, 200);
        for (first, last, status) in [("S3cret", PASSWORD, 200), (PASSWORD, "S3cret", 401)] {
            let body = format!(r#"{{"email":"x","password":"{first}","email":"admin@sme.com","p\u0061ssword":"{last}"}}"#);
            assert_eq!(send(&app, None, body.into_bytes()).await.status, status);
        }
        let numbers = ["1e400", "-0", "1E-999999999", &"9".repeat(5_000), "123456789012345678901234567890.5"];
        for number in numbers {
            assert_eq!(send(&app, None, with(number.to_owned())).await.status, 200, "{number:.20}");
        }
    }

    async fn a_body_over_the_limit_is_a_413_before_anything_is_read_from_it(app: TestApp) {
        let body = |length: usize| {
            let frame = format!(r#"{{"email":"admin@sme.com","password":"","x":"{}"}}"#, "");
            frame.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(length - frame.len()))).into_bytes()
        };
        assert_eq!(send(&app, None, body(1_048_576)).await.status, 422);
        for path in ["/auth/login", "/api/v1/settings", "/api/v1/auth/logout"] {
            let method = if path.ends_with("settings") { "PUT" } else { "POST" };
            let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n");
            let sized = [head.clone().into_bytes(), b"Content-Length: 1048577\r\n\r\n".to_vec(), body(1_048_577)].concat();
            let claimed = format!("{head}Content-Length: 11000000\r\n\r\n").into_bytes();
            let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
            for _ in 0..17 {
                chunked.extend([format!("{:x}\r\n", 65_536).into_bytes(), vec![b' '; 65_536], b"\r\n".to_vec()].concat());
            }
            for (name, bytes) in [("sized", sized), ("claimed", claimed), ("chunked", chunked)] {
                let answer = app.raw(bytes).await;
                assert_eq!(answer.status, 413, "{name} {path}: {}", answer.text);
                answer.assert_envelope(413, "Request body too large", "Request body too large", "payload_too_large");
                assert_eq!((answer.one("connection"), answer.one("cache-control")), ("close", "no-store"));
            }
        }
    }

    async fn endpoints_without_a_body_ignore_whatever_is_sent(app: TestApp) {
        let admin = app.admin().await;
        for body in ["", "{", "[]", "null", "\0\u{1}"] {
            for (method, path) in [("GET", "/auth/me"), ("GET", "/api/v1/settings"), ("GET", "/health")] {
                let request = admin.request(method, path).header("content-type", "text/plain").body(body);
                assert_eq!(TestApp::send(request).await.status, 200, "{path} {body}");
            }
        }
    }
}
