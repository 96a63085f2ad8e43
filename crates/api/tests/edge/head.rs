//! Request heads: their size, their encoding, and bytes that are no HTTP.

use std::time::Duration;

use sme_pulse_api::server::Bounds;

use crate::app::TestServer;
use crate::client::{Client, get, once};

fn status_then_end(server: &TestServer, request: impl AsRef<[u8]>) -> u16 {
    let mut client = Client::connect(server.address);
    client.send_if_open(request);
    let answer = client.answer();
    answer.assert_error(answer.status, "bad_request");
    assert_eq!(answer.one("x-frame-options"), "DENY");
    assert_eq!(client.rest(), "");
    answer.status
}

fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |lines, n| lines + &format!("X-{n}: a\r\n"))
}

#[test]
fn heads_over_the_limits_are_refused() {
    let server = TestServer::start();
    let big = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(33 * 1024));
    let mut client = Client::connect(server.address);
    client.send(&big).answer().assert_error(431, "bad_request");
    let fits = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(31 * 1024));
    assert_eq!(client.send(&fits).answer().status, 200);
    let long_line = format!("GET /health?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(40 * 1024));
    client.send(long_line).answer().assert_error(431, "bad_request");

    let huge = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(200 * 1024));
    assert_eq!(status_then_end(&server, huge), 431);
    for count in [2000, 96] {
        let request = format!("GET /health HTTP/1.1\r\nHost: x\r\n{}\r\n", lines(count));
        assert_eq!(status_then_end(&server, request), 431);
    }
    let most = once(server.address, format!("GET /health HTTP/1.1\r\nHost: x\r\n{}\r\n", lines(95)));
    assert_eq!(most.status, 200);
}

#[test]
fn malformed_encodings_are_400_in_path_and_query() {
    let server = TestServer::start();
    for target in ["/%", "/health%2", "/%zz", "/%ff", "/health?q=%", "/health?q=%ff", "/health?%zz=1", "/nowhere?a=%C3"]
    {
        get(server.address, target).assert_error(400, "bad_request");
    }
    assert_eq!(get(server.address, "/health?q=a+b%20c,%2C%C3%A9").status, 200);
    assert_eq!(get(server.address, "/items/%00").status, 200);
}

#[test]
fn injected_line_ends_stay_inside_their_value() {
    let server = TestServer::start();
    let answer = get(server.address, "/items/a%0d%0aX-Evil:%201");
    assert!(answer.all("x-evil").is_empty());
    let mut client = Client::connect(server.address);
    let answer = client.send("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n").answer();
    assert!(!format!("{answer:?}").contains("evil"));
}

#[test]
fn bytes_that_are_no_http_are_400_and_the_end() {
    let server = TestServer::start();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET  /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    ] {
        assert_eq!(status_then_end(&server, bytes), 400, "{bytes:?}");
    }
    assert_eq!(get(server.address, "/health").status, 200);
}

#[test]
fn a_refusal_behind_an_answer_is_complete_too() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\nrubbish\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    let refusal = client.answer();
    refusal.assert_error(400, "bad_request");
    assert_eq!(client.rest(), "");
    let log = server.log(2);
    assert_eq!((log[1].line.as_str(), log[1].request_id.as_str()), ("- - 400", refusal.one("x-request-id")));
}

#[test]
fn a_head_that_takes_too_long_ends_its_connection_whichever_request_it_is() {
    let bounds = Bounds { head_seconds: 1, ..Bounds::for_workers(1) };
    let server = TestServer::with(Duration::from_secs(30), bounds);
    let mut first = Client::connect(server.address);
    first.send("GET /health HTTP/1.1\r\nHo");
    let mut second = Client::connect(server.address);
    assert_eq!(second.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
    second.send("GET /health HTTP/1.1\r\nHo");
    let mut idle = Client::connect(server.address);
    assert_eq!(idle.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
    first.answer().assert_error(408, "bad_request");
    assert_eq!(first.rest(), "");
    assert_eq!(second.rest(), "");
    assert_eq!(idle.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
}
