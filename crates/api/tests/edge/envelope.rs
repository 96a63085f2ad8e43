//! One envelope for everything that is not a success.

use std::time::Duration;

use crate::app::TestServer;
use crate::client::{get, once};

#[test]
fn every_error_is_the_envelope_with_the_id_of_its_header() {
    let server = TestServer::start();
    for (path, status, code) in [
        ("/nowhere", 404, "not_found"),
        ("/errors/404", 404, "not_found"),
        ("/errors/409", 409, "conflict"),
        ("/errors/422", 422, "validation_error"),
        ("/errors/429", 429, "rate_limited"),
        ("/errors/unauthorized", 401, "not_authenticated"),
        ("/errors/500", 500, "internal_error"),
        ("/errors/foreign", 500, "internal_error"),
        ("/panic", 500, "internal_error"),
        ("/errors/501", 501, "not_implemented"),
        ("/errors/503", 503, "service_unavailable"),
        ("/%", 400, "bad_request"),
    ] {
        get(server.address, path).assert_error(status, code);
    }
    once(server.address, "DELETE /health HTTP/1.1\r\nHost: x\r\n\r\n").assert_error(405, "method_not_allowed");
}

#[test]
fn causes_never_reach_the_client() {
    let server = TestServer::start();
    for path in ["/errors/500", "/errors/503", "/errors/foreign", "/errors/unauthorized", "/panic"] {
        let body = get(server.address, path).body;
        for secret in ["db.internal", "core.users", "secret", "whatever", ".rs"] {
            assert!(!body.contains(secret), "{path}: {body}");
        }
    }
}

#[test]
fn the_body_is_compact_and_in_the_fixed_order() {
    let server = TestServer::start();
    let answer = get(server.address, "/errors/422");
    let item = r#"{"loc":["body","email"],"msg":"Field required","type":"missing"}"#;
    let want = format!(
        r#"{{"error":"Validation error","detail":[{item},{item}],"request_id":"{}","error_code":"validation_error"}}"#,
        answer.one("x-request-id")
    );
    assert_eq!(answer.body, want);
}

#[test]
fn a_handler_that_takes_too_long_is_a_503() {
    let server = TestServer::with_timeout(Duration::from_millis(50));
    get(server.address, "/held").assert_error(503, "service_unavailable");
    assert_eq!(get(server.address, "/health").status, 200);
}

#[test]
fn the_worker_survives_a_panic_and_the_connection_too() {
    let server = TestServer::start();
    let mut client = crate::client::Client::connect(server.address);
    for _ in 0..3 {
        client.send("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").answer().assert_error(500, "internal_error");
        assert_eq!(client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
    }
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_the_clients_fault_and_the_end() {
    let server = TestServer::with_timeout(Duration::from_millis(50));
    let mut client = crate::client::Client::connect(server.address);
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhell");
    client.answer().assert_error(408, "bad_request");
    client.end_writing();
    assert_eq!(client.rest(), "");
}
