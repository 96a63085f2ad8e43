//! Tokens a client could come up with: which are refused, that all refusals look alike, and where a token may stand.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use sme_pulse_domain::{clock::Clock as _, role::Role};
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, HEADER, PASSWORD, TestApp, claims, claims_but, mint, mint_text, part, sign_with};

const ME: &str = "/api/v1/auth/me";

/// `GET /me` with this value of `Authorization`.
async fn with_header(app: &TestApp, value: &[u8]) -> Answer {
    let value = HeaderValue::from_bytes(value).unwrap();
    TestApp::send(app.request("GET", ME).header("authorization", value)).await
}

fn assert_refused(answer: &Answer, name: &str) {
    let text = "Could not validate credentials";
    assert_eq!(answer.status, 401, "{name}: {}", answer.text);
    answer.assert_envelope(401, text, text, "invalid_token");
    assert_eq!((answer.one("www-authenticate"), answer.one("cache-control")), ("Bearer", "no-store"));
}

on_both_databases! {
    async fn every_claim_is_needed_typed_and_compared(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let now = app.clock.now().timestamp();
        let other = app.admin().await;
        let refused = app.me("x").await;
        assert_refused(&refused, "no token");
        let with = |name: &str, value: Value| (format!("{name}={value}"), claims_but(&member.token, name, Some(value)));
        let without = |name: &str| (format!("no {name}"), claims_but(&member.token, name, None));

        let mut good = vec![
            without("iat"),
            without("nbf"),
            without("iss"),
            without("aud"),
            without("jti"),
            without("roles"),
            without("sid"),
        ];
        good.extend([
            with("roles", json!([])),
            with("roles", json!(["nobody"])),
            with("exp", json!(now + 1)),
            with("exp", json!(now - 4)),
        ]);
        good.extend([
            with("exp", json!(9_223_372_036_854_775_808_u64)),
            with("nbf", json!(now + 5)),
            with("surprise", json!({"a": [1]})),
        ]);
        for (name, claims) in good {
            let answer = app.me(&mint(&claims)).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        }

        let mut bad = vec![without("sub"), without("org_id"), without("exp")];
        let id = member.user;
        for sub in [
            json!(id),
            json!(1.0),
            json!(format!("0{id}")),
            json!(format!("+{id}")),
            json!(format!(" {id}")),
            json!(format!("{id}.0")),
        ] {
            bad.push(with("sub", sub));
        }
        for sub in ["", "0", "-1", "x", "9223372036854775807", "9223372036854775808", "１", "1 OR 1=1", "\0", "1e0"] {
            bad.push(with("sub", json!(sub)));
        }
        for org in [
            json!(member.org.to_string()),
            json!(1.0),
            json!(null),
            json!([member.org]),
            json!(other.org),
            json!(0),
            json!(-1),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(true),
        ] {
            bad.push(with("org_id", org));
        }
        for name in ["exp", "nbf", "iat"] {
            for value in [json!((now + 100).to_string()), json!(null), json!(true), json!([now]), json!({}), json!("")]
            {
                bad.push(with(name, value));
            }
        }
        bad.extend([
            with("exp", json!(now - 5)),
            with("exp", json!(0)),
            with("exp", json!(-1)),
            with("exp", json!(i64::MIN)),
            with("exp", json!(-1e300)),
        ]);
        bad.extend([with("nbf", json!(now + 6)), with("nbf", json!(1e300)), with("nbf", json!(u64::MAX))]);
        for value in [json!("other"), json!(""), json!(null), json!(["sme-pulse", "sme-pulse-api"]), json!(1)] {
            bad.push(with("iss", value.clone()));
            bad.push(with("aud", value));
        }
        bad.extend([
            with("jti", json!(1)),
            with("jti", json!(null)),
            with("roles", json!("owner")),
            with("roles", json!([1])),
            with("roles", json!(null)),
        ]);
        let sid = claims(&member.token)["sid"].as_str().unwrap().to_owned();
        for value in [
            json!(null),
            json!(1),
            json!(""),
            json!("x"),
            json!(sid.to_uppercase()),
            json!(sid.replace('-', "")),
            json!(format!("{{{sid}}}")),
            json!("00000000-0000-4000-8000-000000000000"),
            claims(&other.token)["sid"].clone(),
        ] {
            bad.push(with("sid", value));
        }
        for (name, claims) in bad {
            let answer = app.me(&mint(&claims)).await;
            assert_eq!(answer.comparable(), refused.comparable(), "{name}");
        }
    }

    async fn odd_numbers_and_repeated_members_neither_crash_nor_wrap(app: TestApp) {
        let token = app.admin().await.token;
        let refused = app.me("x").await;
        let text = part(&token, 1);
        let exp = format!("\"exp\":{}", claims(&token)["exp"]);
        for number in [
            "1e400",
            "-1e400",
            "1e-400",
            "NaN",
            "Infinity",
            "0x7fffffffffff",
            "01",
            "-9223372036854775809",
            &"9".repeat(400),
            &"9".repeat(5_000),
        ] {
            let claims = text.replace(&exp, &format!("\"exp\":{number}"));
            assert_eq!(app.me(&mint_text(HEADER, &claims)).await.comparable(), refused.comparable(), "{number:.20}");
        }
        // Far beyond any integer type, and still a number: the future.
        let far = text.replace(&exp, "\"exp\":18446744073709551616");
        assert_eq!(app.me(&mint_text(HEADER, &far)).await.status, 200);
        let (sub, repeated) = (r#""sub":"#, r#""sub":"1","sub":"#);
        for claims in [
            text.replacen(sub, repeated, 1),
            text.replacen(sub, r#""s\u0075b":"1","sub":"#, 1),
            text.replacen('{', "[", 1),
            format!("[{text}]"),
            format!("{text}x"),
            String::new(),
            "null".to_owned(),
            "{}".to_owned(),
            "\u{feff}".to_owned() + &text,
            "[".repeat(3_000),
            r#"{"a":"#.repeat(1_000),
            text.replacen('{', r#"{"x":"\ud800","#, 1),
        ] {
            assert_eq!(app.me(&mint_text(HEADER, &claims)).await.comparable(), refused.comparable(), "{claims:.60}");
        }
    }

    async fn only_the_key_decides_how_a_token_is_checked(app: TestApp) {
        let token = app.admin().await.token;
        let refused = app.me("x").await;
        let claims = part(&token, 1);
        assert_eq!(app.me(&mint_text(r#"{"alg":"HS256"}"#, &claims)).await.status, 200);
        for ignored in ["jku", "x5u", "x5c", "jwk"] {
            let header = json!({"alg": "HS256", "typ": "JWT", ignored: "https://keys.example.com"}).to_string();
            assert_eq!(app.me(&mint_text(&header, &claims)).await.status, 200, "{ignored}");
        }
        let mut headers: Vec<String> =
            ["none", "None", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", "HS256 "]
                .map(|alg| json!({"alg": alg, "typ": "JWT"}).to_string())
                .into();
        headers.extend(
            [
                r#"{"typ":"JWT"}"#,
                r#"{"alg":null}"#,
                r#"{"alg":["HS256"]}"#,
                r#"{"alg":256}"#,
                "[]",
                "null",
                "{",
                r#"{"alg":"none","alg":"HS256"}"#,
                r#"{"alg":"HS256","alg":"HS256"}"#,
            ]
            .map(str::to_owned),
        );
        headers.extend(
            [json!([]), json!(["exp"]), json!(["b64"]), json!("exp"), json!(null)]
                .map(|crit| json!({"alg": "HS256", "crit": crit}).to_string()),
        );
        headers.extend(
            [
                json!({"alg": "HS256", "b64": false}),
                json!({"alg": "HS256", "typ": "reset"}),
                json!({"alg": "HS256", "typ": 1}),
            ]
            .map(|header| header.to_string()),
        );
        headers.extend(
            [
                json!("../../../../dev/null"),
                json!("' UNION SELECT 'secret' --"),
                json!("a\0b"),
                json!(""),
                json!(1),
                json!(null),
                json!("x".repeat(5_000)),
            ]
            .map(|kid| json!({"alg": "HS256", "kid": kid}).to_string()),
        );
        for header in headers {
            assert_eq!(app.me(&mint_text(&header, &claims)).await.comparable(), refused.comparable(), "{header:.60}");
        }
        for (secret, algorithm, header) in [
            (&b"another secret of at least 32 bytes!"[..], Algorithm::HS256, HEADER),
            (b"", Algorithm::HS256, HEADER),
            (b"it-tests-0123456789abcdefghijklmnop", Algorithm::HS512, r#"{"alg":"HS512","typ":"JWT"}"#),
            (b"it-tests-0123456789abcdefghijklmnop", Algorithm::HS512, HEADER),
            (b"AA", Algorithm::HS256, r#"{"alg":"HS256","jwk":{"kty":"oct","k":"QUE"}}"#),
        ] {
            let answer = app.me(&sign_with(secret, algorithm, header, &claims)).await;
            assert_eq!(answer.comparable(), refused.comparable(), "{header}");
        }
    }

    async fn a_token_has_one_spelling(app: TestApp) {
        let token = app.admin().await.token;
        let refused = app.me("x").await;
        let [header, payload, signature] = *token.split('.').collect::<Vec<_>>() else { panic!("three parts") };
        let last = signature.chars().last().unwrap();
        // The last character carries two bits that mean nothing: three other characters decode to the same bytes.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let twin = alphabet.chars().nth(alphabet.find(last).unwrap() ^ 1).unwrap();
        let cut = &signature[..signature.len() - 1];
        let mut spellings: Vec<Vec<u8>> = [
            format!("{header}.{payload}."),
            format!("{header}.{payload}"),
            format!("{header}.{payload}.{cut}"),
            format!("{header}.{payload}.{cut}{twin}"),
            format!("{header}.{payload}.{signature}="),
            format!("{header}.{payload}.{signature}=="),
            format!("{header}=.{payload}.{signature}"),
            format!("{header}.{payload}.{signature}."),
            format!("{header}.{payload}.{signature}.{signature}"),
            format!(".{payload}.{signature}"),
            format!("{header}..{signature}"),
            format!("{header}. {payload}.{signature}"),
            format!("{header}.{payload}.{signature}%3D"),
            format!("{payload}.{header}.{signature}"),
            format!("{header}.{payload}.{}", "A".repeat(signature.len())),
            format!("\"{token}\""),
            format!("{token},{token}"),
            format!("{token} {token}"),
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            ".".repeat(8_000),
            "A".repeat(8_193),
            "null".to_owned(),
            "undefined".to_owned(),
        ]
        .map(String::into_bytes)
        .into();
        spellings.extend([b"\xff\xfe.\x80.\xc3".to_vec(), "токен.é.ü".as_bytes().to_vec()]);
        for spelling in spellings {
            let answer = with_header(&app, &[b"Bearer ", &*spelling].concat()).await;
            assert_eq!(answer.comparable(), refused.comparable(), "{:.80}", String::from_utf8_lossy(&spelling));
        }
        let padded = |length: usize| claims_but(&token, "x", Some(json!("x".repeat(length))));
        let longest = (0..8_192)
            .rev()
            .map(|length| mint(&padded(length)))
            .take(6_000)
            .find(|token| token.len() <= 8_192)
            .unwrap();
        assert_eq!(app.me(&longest).await.status, 200, "{} bytes", longest.len());
        assert_eq!(app.me(&mint(&padded(6_500))).await.comparable(), refused.comparable());
        let huge = with_header(&app, format!("Bearer {}", "A".repeat(100_000)).as_bytes()).await;
        assert_eq!((huge.status, huge.json()["error_code"].as_str()), (431, Some("bad_request")));
    }

    async fn tokens_are_read_from_the_one_authorization_header_only(app: TestApp) {
        let token = app.admin().await.token;
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "] {
            assert_eq!(with_header(&app, format!("{scheme} {token}").as_bytes()).await.status, 200, "{scheme}");
        }
        let anonymous = app.get(ME).await;
        anonymous.assert_envelope(401, "Not authenticated", "Not authenticated", "not_authenticated");
        assert_eq!((anonymous.one("www-authenticate"), anonymous.one("cache-control")), ("Bearer", "no-store"));
        for value in ["", "Basic YWRtaW46eA==", "Token x", "Bearerx", "JWT x", &token, "Digest"] {
            assert_eq!(with_header(&app, value.as_bytes()).await.comparable(), anonymous.comparable(), "{value}");
        }
        assert_eq!(with_header(&app, format!("Token {token}").as_bytes()).await.comparable(), anonymous.comparable());
        for name in ["cookie", "x-authorization", "proxy-authorization", "x-access-token", "authentication"] {
            let value = if name == "cookie" {
                format!("access_token={token}; token={token}; Authorization=Bearer {token}")
            } else {
                format!("Bearer {token}")
            };
            let answer = TestApp::send(app.request("GET", ME).header(name, value)).await;
            assert_eq!(answer.comparable(), anonymous.comparable(), "{name}");
        }
        for path in [format!("{ME}?access_token={token}"), format!("{ME}?token={token}&authorization=Bearer+{token}")] {
            assert_eq!(app.get(&path).await.comparable(), anonymous.comparable());
        }
        let body = json!({"access_token": token, "token": token});
        assert_eq!(
            TestApp::send(app.request("POST", "/auth/logout").json(&body)).await.comparable(),
            anonymous.comparable()
        );
        for (first, second) in [(&*token, &*token), (&token, "x"), ("x", &token)] {
            let answer = app
                .line(
                    &format!("GET {ME}"),
                    &format!("Authorization: Bearer {first}\r\nauthorization: Bearer {second}\r\n"),
                )
                .await;
            assert_eq!((answer.status, answer.json()["error_code"].as_str()), (401, Some("invalid_token")));
        }
    }

    async fn a_token_lives_for_half_an_hour_and_five_seconds_of_leeway(app: TestApp) {
        let member = app.admin().await;
        let sessionless = mint(&claims_but(&member.token, "sid", None));
        app.clock.advance(Duration::from_secs(1804));
        for token in [&member.token, &sessionless] {
            assert_eq!(app.me(token).await.status, 200);
        }
        app.clock.advance(Duration::from_secs(1));
        for token in [&member.token, &sessionless] {
            assert_refused(&app.me(token).await, "expired");
        }
        // A later token of an expired session does not bring it back.
        app.clock.advance(Duration::from_hours(14 * 24));
        let later = claims_but(&member.token, "exp", Some(json!(app.clock.now().timestamp() + 1000)));
        assert_refused(&app.me(&mint(&later)).await, "expired session");
        assert_eq!(app.log_in("admin@sme.com", PASSWORD).await.status, 200);
    }
}
