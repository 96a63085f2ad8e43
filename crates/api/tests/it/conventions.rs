//! What holds for every path and every answer: spellings, methods, headers, cross-origin access, and errors that tell
//! nothing.

use std::collections::BTreeSet;

use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{TestDatabase, on_both_databases};
use uuid::Uuid;

use super::support::{Answer, PASSWORD, TestApp};

const FIXED: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("vary", "Origin"),
];

fn assert_headers(answer: &Answer, what: &str) {
    for (name, value) in FIXED {
        assert_eq!(answer.one(name), value, "{what}");
    }
    let id: Uuid = answer.one("x-request-id").parse().unwrap();
    assert_eq!((id.get_version_num(), id.to_string()), (4, answer.one("x-request-id").to_owned()), "{what}");
    let (whole, fraction) = answer.one("x-process-time").split_once('.').unwrap();
    assert!(whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) && fraction.len() == 6, "{what}");
    assert_eq!(
        (answer.header("server"), answer.header("x-powered-by"), answer.header("location")),
        (None, None, None),
        "{what}"
    );
    if answer.status >= 400 && !answer.text.is_empty() {
        let body = answer.json();
        assert_eq!(body["request_id"], answer.one("x-request-id"), "{what}");
        let keys: BTreeSet<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = if answer.status == 429 {
            &["detail", "error", "error_code", "request_id", "retry_after"]
        } else {
            &["detail", "error", "error_code", "request_id"]
        };
        assert_eq!(keys, expected.iter().copied().collect(), "{what}");
        assert_eq!(body["detail"].is_string(), answer.status != 422, "{what}");
    }
}

on_both_databases! {
    async fn a_path_has_two_spellings_and_everything_else_is_another_path(app: TestApp) {
        let token = format!("Authorization: Bearer {}\r\n", app.admin().await.token);
        for path in [
            "/",
            "/health",
            "/health/",
            "/health/ready",
            "/health/ready/",
            "/auth/me",
            "/auth/me/",
            "/api/v1/auth/me",
            "/api/v1/auth/me/",
            "/api/v1/settings",
            "/api/v1/settings/",
            "/health?",
            "/health/?x=%20&y=a+b",
        ] {
            let answer = app.line(&format!("GET {path}"), &token).await;
            assert_eq!(answer.status, 200, "{path}");
            let head = app.line(&format!("HEAD {path}"), &token).await;
            assert_eq!(
                (head.status, head.text.as_str(), head.one("content-length")),
                (200, "", &*answer.text.len().to_string()),
                "{path}"
            );
            assert_headers(&head, path);
        }
        assert_eq!(app.line("GET http://any.example/health", "").await.status, 200);
        for path in [
            "//",
            "//health",
            "/health//",
            "/health//ready",
            "/Health",
            "/HEALTH",
            "/health/Ready",
            "/./health",
            "/health/.",
            "/x/../health",
            "/health/../health",
            "/%2e/health",
            "/x/%2e%2e/health",
            "/health%2f",
            "/health%2Fready",
            "/api//v1/auth/me",
            "/api/v1//auth/me",
            "/API/v1/auth/me",
            "/api/v1/auth/Me",
            "/api/v1/auth/me/x",
            "/api/v1/auth",
            "/api/v1",
            "/api/v2/auth/me",
            "/auth",
            "/v1/auth/me",
            "/settings",
            "/auth/me;x=1",
            "/health%20",
            "/health%00",
            "/health.json",
            "/nowhere",
            "/.env",
            "/.git/config",
            "/Cargo.toml",
            "/metrics",
            "/admin",
            "/api/v1/people",
            "/auth/me/../login",
            "/index.html",
            "/%F0%9F%98%80",
            "/a%0d%0aSet-Cookie:x=1",
        ] {
            let answer = app.line(&format!("GET {path}"), &token).await;
            answer.assert_envelope(404, "Not Found", "Not Found", "not_found");
            assert_headers(&answer, path);
            assert_eq!(answer.header("set-cookie"), None);
        }
        for path in ["/%", "/%zz", "/health?x=%", "/health?%ff=1", "/%c3%28", "/auth/login?a=%u0041", "/%ed%a0%80"] {
            let answer = app.line(&format!("GET {path}"), &token).await;
            answer.assert_envelope(400, "Bad request", "Bad request", "bad_request");
            assert_headers(&answer, path);
        }
        let (root, health) = (app.get("/").await, app.get("/health").await);
        assert_eq!(
            root.text,
            r#"{"status":"healthy","service":"SME Pulse Backend","version":"1.0.0","environment":"development"}"#
        );
        assert_eq!((health.text.as_str(), health.one("content-type")), (r#"{"status":"ok"}"#, "application/json"));
        assert_eq!(app.get("/health/ready").await.text, r#"{"status":"ok"}"#);
    }

    async fn any_other_method_is_a_405_that_names_the_right_ones(app: TestApp) {
        for (path, right) in [
            ("/", "GET, HEAD"),
            ("/health", "GET, HEAD"),
            ("/health/ready/", "GET, HEAD"),
            ("/auth/me", "GET, HEAD"),
            ("/api/v1/auth/login", "POST"),
            ("/auth/logout/", "POST"),
            ("/auth/sessions", "GET, HEAD"),
            ("/api/v1/auth/sessions/x/", "DELETE"),
            ("/api/v1/settings", "GET, PUT, HEAD"),
        ] {
            for method in
                ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW", "get"]
            {
                if right.split(", ").any(|one| one == method) {
                    continue;
                }
                let answer = app
                    .line(&format!("{method} {path}"), "X-HTTP-Method-Override: GET\r\nX-Method-Override: GET\r\n")
                    .await;
                assert_eq!(answer.status, 405, "{method} {path}");
                let mut allowed: Vec<_> = answer.one("allow").split(", ").collect();
                let mut expected: Vec<_> = right.split(", ").collect();
                allowed.sort_unstable();
                expected.sort_unstable();
                assert_eq!(allowed, expected, "{method} {path}");
                if method != "HEAD" {
                    answer.assert_envelope(405, "Method Not Allowed", "Method Not Allowed", "method_not_allowed");
                }
                assert_headers(&answer, path);
            }
        }
        let connect =
            app.raw("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n").await;
        assert!((400..500).contains(&connect.status), "{connect:?}");
        assert_headers(&connect, "CONNECT");
    }

    async fn every_kind_of_answer_carries_each_header_once_and_readable_to_allowed_origins(db: TestDatabase) {
        let app = TestApp::with(db, &[("BACKEND_RATE_LIMIT_REQUESTS", "6")]).await;
        let (admin, cashier) = (app.admin().await, app.member(&[Role::Cashier]).await);
        let taken = app.member(&[]).await;
        let code = app.texts(&format!("SELECT tax_code FROM core.organizations WHERE id = {}", taken.org)).await[0]
            .clone()
            .unwrap();
        let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
        let json =
            |body: &str| format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let preflight = "Access-Control-Request-Method: PUT\r\n\r\n".to_owned();
        let conflict = json(&json!({"tax_code": code}).to_string());
        let requests = [
            (200, "GET /health", "\r\n".to_owned()),
            (400, "GET /%zz", "\r\n".to_owned()),
            (401, "POST /auth/login", json(r#"{"email":"admin@sme.com","password":"wrong"}"#)),
            (401, "GET /auth/me", "\r\n".to_owned()),
            (403, "PUT /api/v1/settings", bearer(&cashier.token) + &json("{")),
            (404, "GET /nowhere", "\r\n".to_owned()),
            (405, "DELETE /health", "\r\n".to_owned()),
            (405, "OPTIONS /health", "\r\n".to_owned()),
            (409, "PUT /api/v1/settings", bearer(&admin.token) + &conflict),
            (413, "PUT /api/v1/settings", "Content-Length: 11000000\r\n\r\n".to_owned()),
            (422, "POST /auth/login", json("{}")),
            (200, "POST /auth/login", json(&json!({"email": "admin@sme.com", "password": PASSWORD}).to_string())),
            (429, "POST /auth/login", json("{}")),
            (200, "OPTIONS /auth/login", preflight.clone()),
            (200, "OPTIONS /nowhere", preflight),
            (204, "POST /auth/logout", bearer(&admin.token) + "\r\n"),
        ];
        let mut ids = BTreeSet::new();
        let mut check = async |status: u16, line: &str, rest: &str| {
            for (origin, allowed) in [("http://localhost:3000", true), ("http://localhost:3001", true)] {
                // What changes something, or counts, is sent once.
                if origin.ends_with('1') && (status == 204 || line.starts_with("POST /auth/login")) {
                    continue;
                }
                let mine = "6f1c0e54-7c07-4c58-9d5e-0d6a8a1f2b3c";
                let head = format!(
                    "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: {mine}\r\nOrigin: {origin}\r\n"
                );
                let answer = app.raw(head + rest).await;
                let what = format!("{line} {}", answer.text);
                assert_eq!(answer.status, status, "{what}");
                assert_headers(&answer, &what);
                assert!(ids.insert(answer.one("x-request-id").to_owned()) && answer.one("x-request-id") != mine);
                assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin), "{what}");
                assert_eq!(answer.one("access-control-allow-credentials"), "true", "{what}");
                assert_eq!(
                    answer.one("access-control-expose-headers"),
                    "X-Request-ID, X-Process-Time, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed"
                );
                assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"), "{what}");
                assert_eq!(answer.header("retry-after").is_some(), matches!(status, 429 | 503), "{what}");
                if line.starts_with("OPTIONS") && status == 200 {
                    assert_eq!((answer.text.as_str(), answer.one("access-control-max-age")), ("", "600"));
                    assert!(answer.one("access-control-allow-methods").contains("PUT"));
                }
            }
        };
        for (status, line, rest) in requests {
            check(status, line, &rest).await;
        }
        app.sql("ALTER TABLE core.organizations RENAME COLUMN phone TO telephone").await;
        check(500, "GET /api/v1/settings", &(bearer(&cashier.token) + "\r\n")).await;
        app.store.close().await.unwrap();
        check(503, "GET /health/ready", "\r\n").await;
        check(503, "GET /api/v1/settings", &(bearer(&cashier.token) + "\r\n")).await;
        check(200, "GET /health", "\r\n").await;
    }

    async fn origins_that_are_not_listed_get_no_permission_on_any_answer(app: TestApp) {
        let preflight = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
        for origin in [
            "null",
            "http://localhost",
            "http://localhost:30000",
            "https://localhost:3000",
            "http://localhost:3000.evil.example",
            "http://evillocalhost:3000",
            "http://localhost:3000/",
            "HTTP://LOCALHOST:3000",
            "http://localhost:3000, http://x",
            "*",
            "",
            "file://",
        ] {
            for (line, status) in
                [("GET /health", 200), ("GET /nowhere", 404), ("POST /auth/login", 422), ("OPTIONS /health", 405)]
            {
                let answer = app.line(line, &format!("Origin: {origin}\r\n")).await;
                assert_eq!(answer.status, status, "{line} {origin}");
                assert!(
                    answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")),
                    "{line} {origin}"
                );
                assert_headers(&answer, origin);
            }
            let answer = app.line("OPTIONS /auth/login", &format!("Origin: {origin}\r\n{preflight}")).await;
            answer.assert_envelope(400, "Disallowed CORS origin", "Disallowed CORS origin", "bad_request");
            assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{origin}");
            assert_headers(&answer, origin);
        }
        let twice = app.line("GET /health", "Origin: http://localhost:3000\r\nOrigin: http://evil.example\r\n").await;
        assert_eq!(twice.header("access-control-allow-origin"), None);
    }

    async fn documentation_keeps_the_same_conventions_and_can_be_switched_off(db: TestDatabase) {
        let app = TestApp::with(db, &[]).await;
        for path in ["/openapi.json", "/openapi.json/", "/api/docs", "/api/docs/", "/api/redoc", "/api/redoc/"] {
            let answer = app.line(&format!("GET {path}"), "Origin: http://localhost:3000\r\n").await;
            assert_eq!(
                (answer.status, answer.one("access-control-allow-origin")),
                (200, "http://localhost:3000"),
                "{path}"
            );
            assert_headers(&answer, path);
            let html = answer.one("content-type").starts_with("text/html");
            assert_eq!(html, !path.contains("json"), "{path}");
            let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
            assert_eq!(answer.header("content-security-policy"), html.then_some(policy), "{path}");
            let head = app.line(&format!("HEAD {path}"), "").await;
            assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
            assert_eq!(head.one("content-length"), answer.text.len().to_string(), "{path}");
            let wrong = app.line(&format!("POST {path}"), "").await;
            assert_eq!((wrong.status, wrong.one("allow")), (405, "GET, HEAD"), "{path}");
        }
        for path in [
            "/api/docs/../../Cargo.toml",
            "/api/docs/%2e%2e/%2e%2e/etc/passwd",
            "/api/docs/nothing.js",
            "/api/docs//",
            "/api/Docs",
            "/OpenAPI.json",
        ] {
            app.line(&format!("GET {path}"), "").await.assert_envelope(404, "Not Found", "Not Found", "not_found");
        }
    }

    async fn without_documentation_its_paths_do_not_exist(db: TestDatabase) {
        let app = TestApp::with(db, &[("BACKEND_DOCS_ENABLED", "false")]).await;
        for path in ["/openapi.json", "/api/docs", "/api/docs/", "/api/redoc"] {
            app.get(path).await.assert_envelope(404, "Not Found", "Not Found", "not_found");
        }
    }

    async fn a_star_echoes_any_origin_but_null(db: TestDatabase) {
        let app = TestApp::with(db, &[("BACKEND_ALLOWED_ORIGINS", "*")]).await;
        for (origin, allowed) in [("https://any.example", Some("https://any.example")), ("null", None)] {
            assert_eq!(
                app.line("GET /health", &format!("Origin: {origin}\r\n")).await.header("access-control-allow-origin"),
                allowed
            );
        }
    }

    async fn what_breaks_inside_stays_inside(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        app.sql("ALTER TABLE core.organizations RENAME COLUMN phone TO telephone").await;
        for answer in
            [member.get("/api/v1/settings").await, member.put("/api/v1/settings", &json!({"phone": "1"})).await]
        {
            answer.assert_envelope(500, "Internal server error", "An unexpected error occurred.", "internal_error");
        }
        app.sql("ALTER TABLE core.organizations RENAME COLUMN telephone TO phone").await;
        assert_eq!(member.get("/api/v1/settings").await.status, 200);
        app.store.migrate_down(Some(1)).await.unwrap();
        let unready = app.get("/health/ready").await;
        let detail = "The service is temporarily unavailable. Please try again.";
        unready.assert_envelope(503, "Service unavailable", detail, "service_unavailable");
        assert!(unready.one("retry-after").parse::<u32>().unwrap() > 0);
        assert_eq!(app.get("/health").await.status, 200);
        app.store.migrate_up().await.unwrap();
        assert_eq!(app.get("/health/ready").await.status, 200);
        app.store.close().await.unwrap();
        let log_in = app.log_in("admin@sme.com", PASSWORD).await;
        for answer in [member.get("/api/v1/settings").await, app.get("/health/ready").await, log_in] {
            answer.assert_envelope(503, "Service unavailable", detail, "service_unavailable");
            assert!(answer.one("retry-after").parse::<u32>().unwrap() > 0);
        }
        assert_eq!((app.get("/health").await.status, app.get("/").await.status), (200, 200));
    }
}
