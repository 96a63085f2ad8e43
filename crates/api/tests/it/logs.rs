//! The log of the real binary: one access event per request with exactly its fields, the warnings of section 7, and
//! nothing in it that a client typed as a secret or could forge a line with.

use serde_json::{Value, json};
use sme_pulse_testing::{TestDatabase, on_both_databases};

use super::support::{Answer, HASH, PASSWORD, Process, TestApp, claims_but, mint};

const COMMON: [&str; 10] = ["file", "hostname", "level", "line", "msg", "name", "pid", "target", "time", "v"];

/// The lines about one request.
fn about<'a>(lines: &'a [Value], answer: &Answer) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["request_id"] == answer.one("x-request-id")).collect()
}

/// The fields of a line besides those every line has, in order of names.
fn own(line: &Value) -> Value {
    let fields = line.as_object().unwrap().iter().filter(|(name, _)| !COMMON.contains(&name.as_str()));
    Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Asserts that the lines of a request are this one, with these fields beside the common ones, and the access event.
fn assert_logged(lines: &[Value], answer: &Answer, level: u64, msg: &str, mut fields: Value) {
    let id = answer.one("x-request-id");
    let [event, access] = *about(lines, answer) else { panic!("not two lines: {:?}", about(lines, answer)) };
    fields["request_id"] = json!(id);
    fields["client_ip"] = json!("127.0.0.1");
    assert_eq!((event["level"].as_u64(), event["msg"].as_str(), own(event)), (Some(level), Some(msg), fields));
    assert_eq!((&access["msg"], &access["status_code"]), (&json!("Request completed"), &json!(answer.status)));
}

async fn log_in(server: &Process, email: &str, password: &str) -> Answer {
    server.log_in(&json!({"email": email, "password": password})).await
}

fn token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

on_both_databases! {
    async fn each_outcome_has_its_line_and_no_secret_is_in_any(server: Process) {
        let signed_in = log_in(&server, "Admin@SME.com", PASSWORD).await;
        let good = token(&signed_in);
        let (user, org) = (signed_in.json()["user"]["id"].clone(), signed_in.json()["user"]["org_id"].clone());
        let wrong = log_in(&server, "admin@sme.com", "typed-wrong-S3cret").await;
        let unknown = log_in(&server, "mysterious.person@example.com", "S3cret-guess").await;
        let no_address = log_in(&server, "my-S3cret-password-typed-as-a-name", "").await;
        let no_json =
            TestApp::send(server.request("POST", "/auth/login?q=S3cret").body("{\"password\":\"S3cret")).await;
        let bad_token = server.me("S3cret.S3cret.S3cret").await;
        let expired = server.me(&mint(&claims_but(&good, "exp", Some(json!(1))))).await;
        let no_session =
            server.me(&mint(&claims_but(&good, "sid", Some(json!("00000000-0000-4000-8000-000000000000"))))).await;
        let elsewhere = server.me(&mint(&claims_but(&good, "org_id", Some(json!(999))))).await;
        let anonymous = TestApp::send(server.request("GET", "/auth/me?token=S3cret")).await;
        let me = server.me(&good).await;
        server.sql("UPDATE core.users SET status = 'inactive' WHERE email = 'admin@sme.com'").await;
        let inactive = TestApp::until(401, async || server.me(&good).await).await;
        let barred = log_in(&server, "admin@sme.com", PASSWORD).await;
        server.sql("UPDATE core.users SET status = 'active' WHERE email = 'admin@sme.com'").await;
        server.sql("DELETE FROM core.user_roles").await;
        let write =
            async || TestApp::send(server.request("PUT", "/api/v1/settings").bearer_auth(&good).body("{}")).await;
        let forbidden = TestApp::until(403, write).await;
        let out = TestApp::send(server.request("POST", "/auth/logout").bearer_auth(&good)).await;
        server.sql("UPDATE core.users SET password_hash = 'broken-S3cret-hash' WHERE email = 'admin@sme.com'").await;
        let broken = log_in(&server, "admin@sme.com", PASSWORD).await;
        server.sql("ALTER TABLE core.roles RENAME COLUMN code TO codes").await;
        let failed = server.me(&good).await;
        let written = server.stop();
        let lines = written.lines();

        assert_logged(
            &lines,
            &signed_in,
            30,
            "Successful login",
            json!({"email": "a***@sme.com", "user_id": user, "org_id": org}),
        );
        assert_logged(
            &lines,
            &wrong,
            40,
            "Failed login attempt",
            json!({"email": "a***@sme.com", "user_id": user, "reason": "wrong password"}),
        );
        assert_logged(
            &lines,
            &unknown,
            40,
            "Failed login attempt",
            json!({"email": "m***@example.com", "reason": "unknown e-mail"}),
        );
        assert_logged(
            &lines,
            &no_address,
            40,
            "Validation error",
            json!({"errors": "body.email value_error, body.password string_too_short"}),
        );
        assert_logged(&lines, &no_json, 40, "Validation error", json!({"errors": "body.19 json_invalid"}));
        for (answer, reason) in [
            (&bad_token, "the token is not three parts of unpadded base64url"),
            (&expired, "the token has expired"),
            (&no_session, "the session of the token has ended"),
        ] {
            assert_logged(&lines, answer, 40, "Invalid or expired JWT token", json!({"reason": reason}));
        }
        assert_logged(&lines, &elsewhere, 40, "Organization mismatch", json!({"user_id": user, "claimed_org_id": 999}));
        assert_logged(&lines, &inactive, 40, "Inactive user", json!({"user_id": user}));
        assert_logged(
            &lines,
            &barred,
            40,
            "Failed login attempt",
            json!({"email": "a***@sme.com", "user_id": user, "reason": "inactive user"}),
        );
        assert_logged(&lines, &forbidden, 40, "Unauthorized role access", json!({"user_id": user, "org_id": org}));
        assert_logged(&lines, &out, 30, "Session ended", json!({"user_id": user, "org_id": org, "reason": "log-out"}));
        assert_eq!((about(&lines, &anonymous).len(), about(&lines, &me).len()), (1, 1));
        let unreadable: Vec<_> =
            about(&lines, &broken).iter().map(|line| (line["level"].as_u64(), line["msg"].as_str().unwrap())).collect();
        assert_eq!(
            unreadable,
            [
                (Some(40), "Failed login attempt"),
                (Some(50), "A stored password hash cannot be read"),
                (Some(30), "Request completed")
            ]
        );
        let [error, access] = *about(&lines, &failed) else { panic!("two lines") };
        assert_eq!(
            (&error["level"], &error["msg"], &access["level"], &access["status_code"]),
            (&json!(50), &json!("Unexpected error"), &json!(50), &json!(500))
        );
        assert!(error["error"].as_str().unwrap().contains("code"), "the full cause: {error}");

        assert_eq!(written.file, written.stdout);
        assert_eq!(written.stderr, "");
        let signature = good.rsplit('.').next().unwrap();
        for secret in [
            "S3cret",
            "mysterious",
            "admin@sme.com",
            "Admin@SME.com",
            HASH,
            &HASH[29..],
            &good,
            signature,
            "it-tests-0123456789",
            "\"123456\"",
            "password_hash\":",
            "token=",
        ] {
            assert!(!written.file.contains(secret), "{secret}");
        }
        let texts: Vec<_> = lines.iter().map(|line| line["msg"].as_str().unwrap()).collect();
        assert_eq!(
            (texts.iter().filter(|text| **text == "Server started").count(), texts.last()),
            (1, Some(&"Server stopped"))
        );
    }

    async fn each_request_has_one_access_event_with_exactly_its_fields(server: Process) {
        let signed_in = log_in(&server, "admin@sme.com", PASSWORD).await;
        let (user, org) = (signed_in.json()["user"]["id"].clone(), signed_in.json()["user"]["org_id"].clone());
        let bearer = format!("Authorization: Bearer {}\r\n", token(&signed_in));
        let mut expected = vec![(signed_in, "POST", "/api/v1/auth/login".to_owned(), true)];
        let long = "/".to_owned() + &"x".repeat(9_000);
        for (method, path, headers, known) in [
            ("GET", "/health?query=hidden", "", false),
            ("HEAD", "/", "", false),
            ("GET", "/auth/me/", &*bearer, true),
            ("GET", "/api/v1/settings", &bearer, true),
            ("GET", "/auth/me", "", false),
            ("DELETE", "/health", "", false),
            ("BREW", "/nowhere", "", false),
            (
                "OPTIONS",
                "/auth/login",
                "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n",
                false,
            ),
            ("OPTIONS", "/auth/login", "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n", false),
            ("GET", "/%zz?a=%", "", false),
            ("PUT", "/api/v1/settings", "Content-Length: 11000000\r\n", false),
            ("GET", &long, "X-Forwarded-For: 9.9.9.9\r\n", false),
        ] {
            let answer =
                server.raw(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")).await;
            let logged = path.split('?').next().unwrap().to_owned();
            expected.push((answer, method, logged, known));
        }
        let written = server.stop();
        let lines = written.lines();
        let events: Vec<_> = lines.iter().filter(|line| line["msg"] == "Request completed").collect();
        assert_eq!(events.len(), expected.len());
        for (answer, method, path, known) in expected {
            let id = answer.one("x-request-id");
            let [event] = *events.iter().filter(|line| line["request_id"] == id).collect::<Vec<_>>() else {
                panic!("{method} {path}")
            };
            let mut fields = own(event);
            let took = fields.as_object_mut().unwrap().remove("process_time").unwrap();
            assert!(took.as_f64().is_some_and(|seconds| (0.0..30.0).contains(&seconds)), "{took}");
            let mut wanted = json!({"request_id": id, "method": method, "path": path, "status_code": answer.status, "client_ip": "127.0.0.1"});
            if known {
                (wanted["user_id"], wanted["org_id"]) = (user.clone(), org.clone());
            }
            assert_eq!(fields, wanted);
            assert_eq!((&event["level"], &event["v"], &event["name"]), (&json!(30), &json!(0), &json!("sme-pulse")));
        }
        for line in &lines {
            assert!(COMMON.iter().all(|name| !line[*name].is_null()), "{line}");
            assert!(
                line["pid"].is_u64()
                    && line["line"].is_u64()
                    && line["hostname"].is_string()
                    && line["target"].is_string()
            );
            let time = line["time"].as_str().unwrap();
            assert!(time.ends_with('Z') && time.len() > 20 && time.as_bytes()[10] == b'T', "{time}");
        }
    }

    async fn no_input_ends_a_line_or_drives_a_terminal(server: Process) {
        let forged = r#"{"level":50,"msg":"forged"}"#;
        let agent = b"\x1b[31mred \xff\xc3\x28 \xe2\x80\xae \xc2\x9b";
        for path in [
            "/a%0a%0d%1b[2J",
            "/%7B%22level%22:50,%22msg%22:%22forged%22%7D",
            "/\"},{\"level\":50,\"msg\":\"forged\"}",
            "/\u{202e}\u{2028}\u{9b}é",
            "/a\tb",
        ] {
            let request = [
                format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: ").as_bytes(),
                agent,
                b"\r\n\r\n",
            ]
            .concat();
            let answer = server.raw(request).await;
            assert!((400..500).contains(&answer.status), "{path} {}", answer.status);
        }
        for email in [
            format!("{forged}@x.com"),
            "a\u{1b}[2J@x.com".to_owned(),
            "\u{202e}\u{2028}@x.com".to_owned(),
            "a\r\nb@x.com".to_owned(),
        ] {
            let answer = log_in(&server, &email, &format!("x\n{forged}\n")).await;
            assert!(matches!(answer.status, 401 | 422), "{email:?}");
        }
        let method = format!("GET\u{b}{forged} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_eq!(server.raw(method).await.status, 400);
        let written = server.stop();
        assert!(written.lines().iter().all(|line| line["msg"] != "forged"));
        let driven = |c: char| {
            (c.is_control() && c != '\n')
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || matches!(c, '\u{2028}' | '\u{2029}')
        };
        assert_eq!(written.file.chars().find(|c| driven(*c)), None);
    }

    async fn text_is_one_readable_line_with_the_same_content(db: TestDatabase) {
        let server = Process::start(db, &[("BACKEND_LOG_FORMAT", "text"), ("BACKEND_RATE_LIMIT_REQUESTS", "1")]).await;
        let first = log_in(&server, "admin@sme.com", "S3cret").await;
        let limited = log_in(&server, "admin@sme.com", "S3cret").await;
        let forged = server.raw("GET /a%0ab\"x=1\" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert_eq!((first.status, limited.status, forged.status), (401, 429, 404));
        let written = server.stop();
        assert_eq!(written.file, written.stdout);
        for (answer, level, words) in [
            (
                &first,
                "WARN ",
                vec!["Failed login attempt", "email=a***@sme.com", "reason=\"wrong password\"", "client_ip=127.0.0.1"],
            ),
            (&limited, "WARN ", vec!["Rate limit exceeded", "client_ip=127.0.0.1"]),
            (
                &first,
                "INFO ",
                vec![
                    "Request completed",
                    "method=POST",
                    "path=/api/v1/auth/login",
                    "status_code=401",
                    "process_time=0.",
                ],
            ),
            (&limited, "INFO ", vec!["Request completed", "status_code=429"]),
            (&forged, "INFO ", vec!["Request completed", "status_code=404"]),
        ] {
            let id = format!("request_id={}", answer.one("x-request-id"));
            let found =
                written.file.lines().filter(|line| line.contains(&id) && line.contains(words[0])).collect::<Vec<_>>();
            let [line] = *found else { panic!("{words:?}: {found:?}") };
            assert!(line.contains(&format!("Z {level}")) && words.iter().all(|word| line.contains(word)), "{line}");
        }
        assert!(!written.file.contains("S3cret"));
    }

    async fn without_a_file_the_console_alone_is_written_and_secrets_of_the_settings_are_hidden(db: TestDatabase) {
        let server =
            Process::start(db, &[("BACKEND_LOG_FILE", ""), ("BACKEND_LOGLEVEL", "x"), ("BACKEND_DEBUG", "true")]).await;
        let written = server.stop();
        assert_eq!((written.file.as_str(), written.stderr.as_str()), ("", ""));
        assert!(!written.stdout.contains("it-tests-0123456789"), "{}", written.stdout);
        let near = written.stdout.lines().find(|line| line.contains("BACKEND_LOGLEVEL")).unwrap();
        assert!(near.contains("BACKEND_LOG_LEVEL") && near.contains("\"level\":40"), "{near}");
    }
}
