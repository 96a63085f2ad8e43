//! The seven headers, exactly once each, on every kind of answer.

use std::time::Duration;

use crate::app::TestServer;
use crate::client::{Answer, get, once};

const FIXED: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
];

fn assert_headers(answer: &Answer) {
    for (name, value) in FIXED {
        assert_eq!(answer.one(name), value);
    }
    let id: uuid::Uuid = answer.one("x-request-id").parse().unwrap();
    assert_eq!(id.get_version_num(), 4);
    let (whole, fraction) = answer.one("x-process-time").split_once('.').unwrap();
    assert!(whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) && fraction.len() == 6);
    assert_eq!(answer.one("vary"), "Origin");
    assert!(answer.all("server").is_empty() && answer.all("x-powered-by").is_empty());
}

#[test]
fn every_kind_of_answer_carries_each_header_once() {
    let server = TestServer::with_timeout(Duration::from_millis(50));
    let requests: [(u16, &str); 19] = [
        (200, "GET /health"),
        (200, "GET /health/"),
        (200, "GET /noted"),
        (204, "DELETE /items/5"),
        (404, "GET /nowhere"),
        (404, "GET /errors/404"),
        (405, "PUT /health"),
        (405, "OPTIONS /health"),
        (400, "GET /%zz"),
        (409, "GET /errors/409"),
        (422, "GET /errors/422"),
        (429, "GET /errors/429"),
        (401, "GET /errors/unauthorized"),
        (500, "GET /errors/500"),
        (500, "GET /errors/foreign"),
        (500, "GET /panic"),
        (501, "GET /errors/501"),
        (503, "GET /errors/503"),
        (503, "GET /held"),
    ];
    for (status, line) in requests {
        let answer = once(server.address, format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(answer.status, status, "{line}: {answer:?}");
        assert_headers(&answer);
    }
    let preflight = "OPTIONS /health HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:3000\r\n\
                     Access-Control-Request-Method: POST\r\n\r\n";
    let too_large = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11000000\r\n\r\n";
    for (status, request) in [(200, preflight), (413, too_large)] {
        let answer = once(server.address, request);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_headers(&answer);
    }
}

#[test]
fn the_request_id_is_the_servers_own_and_never_repeats() {
    let server = TestServer::start();
    let mine = "9f1c0e54-7c07-4c58-9d5e-0d6a8a1f2b3c";
    let request = format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: {mine}\r\n\r\n");
    let (first, second) = (once(server.address, &request), once(server.address, &request));
    assert_ne!(first.one("x-request-id"), mine);
    assert_ne!(first.one("x-request-id"), second.one("x-request-id"));
}

#[test]
fn an_inner_layer_cannot_forge_the_headers_of_the_edge() {
    let server = TestServer::start();
    let answer = get(server.address, "/noted");
    assert_ne!(answer.one("x-request-id"), "forged");
    assert!(answer.all("server").is_empty());
}

#[test]
fn errors_bring_the_headers_of_their_status() {
    let server = TestServer::start();
    assert_eq!(get(server.address, "/errors/429").one("retry-after"), "60");
    assert_eq!(get(server.address, "/errors/503").one("retry-after"), "1");
    assert_eq!(get(server.address, "/errors/unauthorized").one("www-authenticate"), "Bearer");
    assert_eq!(once(server.address, "POST /health HTTP/1.1\r\nHost: x\r\n\r\n").one("allow"), "GET, HEAD");
}

#[test]
fn answers_behind_a_token_are_never_stored_by_caches() {
    let server = TestServer::start();
    assert_eq!(get(server.address, "/items/5").one("cache-control"), "no-store");
    assert!(get(server.address, "/health").all("cache-control").is_empty());
}
