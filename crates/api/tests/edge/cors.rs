//! Preflights and the headers that let a browser read an answer.

use crate::app::TestServer;
use crate::client::{Answer, once};

fn with_origin(server: &TestServer, line: &str, origin: &str, more: &str) -> Answer {
    once(server.address, format!("{line} HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n{more}\r\n"))
}

#[test]
fn a_preflight_of_an_allowed_origin_is_answered_for_every_path() {
    let server = TestServer::start();
    let more = "Access-Control-Request-Method: DELETE\r\nAccess-Control-Request-Headers: authorization, x-thing\r\n";
    for path in ["/health", "/limited", "/nowhere"] {
        let answer = with_origin(&server, &format!("OPTIONS {path}"), "http://localhost:3000", more);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(answer.one("content-length"), "0");
        assert_eq!(answer.one("access-control-allow-origin"), "http://localhost:3000");
        assert_eq!(answer.one("access-control-allow-credentials"), "true");
        assert_eq!(answer.one("access-control-allow-headers"), "authorization, x-thing");
        assert_eq!(answer.one("access-control-max-age"), "600");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert!(answer.one("access-control-allow-methods").split(", ").any(|one| one == method));
        }
        assert!(answer.all("ratelimit").is_empty());
    }
}

#[test]
fn a_preflight_of_another_origin_is_refused_without_cors_headers() {
    let server = TestServer::start();
    for origin in ["http://localhost:3001.evil.example", "null", "https://localhost:3000", "http://localhost:300"] {
        let answer = with_origin(&server, "OPTIONS /health", origin, "Access-Control-Request-Method: GET\r\n");
        answer.assert_error(400, "bad_request");
        assert_eq!(answer.json()["detail"], "Disallowed CORS origin");
        assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control-")));
        assert_eq!(answer.one("vary"), "Origin");
    }
}

#[test]
fn answers_to_an_allowed_origin_are_readable_errors_included() {
    let server = TestServer::start();
    for line in ["GET /health", "GET /nowhere", "GET /panic", "PUT /health", "GET /%zz"] {
        let answer = with_origin(&server, line, "http://localhost:3000", "");
        assert_eq!(answer.one("access-control-allow-origin"), "http://localhost:3000");
        assert_eq!(answer.one("access-control-allow-credentials"), "true");
        let exposed = "X-Request-ID, X-Process-Time, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed";
        assert_eq!(answer.one("access-control-expose-headers"), exposed);
    }
    let foreign = with_origin(&server, "GET /health", "http://evil.example", "");
    assert_eq!(foreign.status, 200);
    assert!(foreign.all("access-control-allow-origin").is_empty());
}

#[test]
fn options_without_both_preflight_headers_is_a_wrong_method() {
    let server = TestServer::start();
    let answer = with_origin(&server, "OPTIONS /health", "http://localhost:3000", "");
    answer.assert_error(405, "method_not_allowed");
    let bare = "OPTIONS /health HTTP/1.1\r\nHost: x\r\nAccess-Control-Request-Method: GET\r\n\r\n";
    once(server.address, bare).assert_error(405, "method_not_allowed");
}
