//! Request heads: their size, their encoding, and bytes that are no HTTP.

use crate::app::TestServer;
use crate::client::{Client, get};

fn status_then_end(server: &TestServer, request: impl AsRef<[u8]>) -> u16 {
    let mut client = Client::connect(server.address);
    client.send_if_open(request);
    let text = client.rest();
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    text.split(' ').nth(1).unwrap().parse().unwrap()
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
    let lines: String = (0..2000).map(|n| format!("X-{n}: a\r\n")).collect();
    assert_eq!(status_then_end(&server, format!("GET /health HTTP/1.1\r\nHost: x\r\n{lines}\r\n")), 431);
    let lines: String = (0..96).map(|n| format!("X-{n}: a\r\n")).collect();
    assert_eq!(status_then_end(&server, format!("GET /health HTTP/1.1\r\nHost: x\r\n{lines}\r\n")), 431);
    let lines: String = (0..95).map(|n| format!("X-{n}: a\r\n")).collect();
    let most = Client::connect(server.address).send(format!("GET /health HTTP/1.1\r\nHost: x\r\n{lines}\r\n")).answer();
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
