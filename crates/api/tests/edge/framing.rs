//! Bodies: limits, chunks, ambiguous lengths, and requests hidden where no request may be.

use crate::app::{MAX_BODY, TestServer};
use crate::client::{Client, once};

const HIDDEN: &str = "GET /noted HTTP/1.1\r\nHost: x\r\n\r\n";

fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}")
}

fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// Sends everything at once and expects one answer of this status and the end of the connection.
fn one_answer_then_the_end(server: &TestServer, request: &str, status: u16) {
    let mut client = Client::connect(server.address);
    let answer = client.send(request).answer();
    assert_eq!(answer.status, status, "{request:?}: {answer:?}");
    let rest = client.rest();
    assert_eq!(rest, "", "{request:?}");
    assert!(server.log(0).iter().all(|logged| !logged.line.contains("/noted")), "{request:?}");
}

#[test]
fn a_body_within_the_limit_arrives_whole() {
    let server = TestServer::start();
    let body = "x".repeat(MAX_BODY);
    let mut client = Client::connect(server.address);
    let plain = post("/echo", &format!("Content-Length: {}\r\n", body.len()), &body);
    assert_eq!(client.send(plain).answer().body, body);
    let pieces: String =
        body.as_bytes().chunks(999).map(|piece| format!("3E7\r\n{}\r\n", "x".repeat(piece.len()))).take(100).collect();
    let request = post("/v1/echo/", "Transfer-Encoding: chunked\r\n", &format!("{pieces}0\r\n\r\n"));
    assert_eq!(client.send(request).answer().body.len(), 99_900);
    assert_eq!(client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
}

#[test]
fn a_body_over_the_limit_is_413_and_the_end() {
    let server = TestServer::start();
    let over = "x".repeat(MAX_BODY + 1);
    one_answer_then_the_end(&server, &post("/echo", &format!("Content-Length: {}\r\n", over.len()), &over), 413);
    one_answer_then_the_end(&server, &post("/echo", "Transfer-Encoding: chunked\r\n", &chunked(&over)), 413);
    one_answer_then_the_end(&server, &post("/echo", "Content-Length: 11000000\r\n", ""), 413);
    one_answer_then_the_end(&server, &post("/echo", "Content-Length: 18446744073709551615\r\n", ""), 413);
}

#[test]
fn an_endless_chunked_body_is_refused_while_it_is_still_coming() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    client.send(post("/echo", "Transfer-Encoding: chunked\r\n", ""));
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for _ in 0..8 {
        client.send(&chunk);
    }
    client.answer().assert_error(413, "payload_too_large");
    // The server stops reading after a moment, however much more there is.
    while client.send_if_open(&chunk) {}
}

#[test]
fn the_order_is_route_then_limit_then_body_then_handler() {
    let server = TestServer::start();
    let claim = "Content-Length: 11000000\r\n";
    assert_eq!(once(server.address, post("/nowhere", claim, "")).status, 404);
    assert_eq!(once(server.address, post("/health", claim, "")).status, 405);
    assert_eq!(once(server.address, post("/limited", &format!("X-Over: 1\r\n{claim}"), "")).status, 429);
    let limited = once(server.address, post("/limited", claim, ""));
    assert_eq!((limited.status, limited.one("cache-control")), (413, "no-store"));
}

#[test]
fn ambiguous_lengths_are_400_and_nothing_behind_them_is_served() {
    let server = TestServer::start();
    let body = format!("5\r\nhello\r\n0\r\n\r\n{HIDDEN}");
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X: a\r\n folded\r\n",
        "X: a\rb\r\n",
        "X\0: a\r\n",
    ] {
        one_answer_then_the_end(&server, &post("/echo", headers, &body), 400);
    }
    let old = format!("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    one_answer_then_the_end(&server, &old, 400);
    one_answer_then_the_end(&server, &format!("POST /echo HTTP/1.1\r\n\r\n{HIDDEN}"), 400);
}

#[test]
fn broken_chunks_are_400_and_the_end_on_every_path() {
    let server = TestServer::start();
    for path in ["/echo", "/nowhere", "/health", "/limited"] {
        for body in [
            "zz\r\nhello\r\n0\r\n\r\n",
            "-1\r\n",
            "5\r\nhelloXX0\r\n\r\n",
            "fffffffffffffffff\r\nx",
            "5;\0\r\nhello\r\n",
        ] {
            let request = post(path, "Transfer-Encoding: chunked\r\n", &format!("{body}{HIDDEN}"));
            let mut client = Client::connect(server.address);
            let answer = client.send(&request).answer();
            assert_eq!(answer.status, 400, "{request:?}");
            answer.assert_error(400, "bad_request");
            assert_eq!(client.rest(), "", "{request:?}");
        }
    }
    assert!(server.log(0).iter().all(|logged| !logged.line.contains("/noted")));
}

#[test]
fn a_chunk_that_breaks_later_is_400_as_well() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    client.send(post("/echo", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
    client.send(format!("zz\r\n{HIDDEN}")).answer().assert_error(400, "bad_request");
    assert_eq!(client.rest(), "");
}

#[test]
fn a_request_hidden_in_a_refused_body_is_never_served() {
    let server = TestServer::start();
    for path in ["/nowhere", "/health", "/limited"] {
        let more = if path == "/limited" { "X-Over: 1\r\n" } else { "" };
        for tail in ["", HIDDEN] {
            // Complete, cut off, and chunked: the hidden request is the body.
            let complete = format!("{more}Content-Length: {}\r\n", HIDDEN.len() + tail.len());
            one_answer_then_the_end(&server, &post(path, &complete, &format!("{HIDDEN}{tail}")), status(path));
            let cut = format!("{more}Content-Length: {}\r\n", HIDDEN.len() * 100);
            one_answer_then_the_end(&server, &post(path, &cut, &format!("{HIDDEN}{tail}")), status(path));
            let body = chunked(&format!("{HIDDEN}{tail}"));
            let request = post(path, &format!("{more}Transfer-Encoding: chunked\r\n"), &body);
            one_answer_then_the_end(&server, &request, status(path));
        }
    }
}

fn status(path: &str) -> u16 {
    match path {
        "/nowhere" => 404,
        "/health" => 405,
        _ => 429,
    }
}

#[test]
fn a_request_hidden_in_the_body_of_a_preflight_or_a_panic_is_never_served() {
    let server = TestServer::start();
    let preflight = format!(
        "OPTIONS /health HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:3000\r\nAccess-Control-Request-Method: GET\r\n\
         Content-Length: {}\r\n\r\n{HIDDEN}",
        HIDDEN.len() * 2
    );
    one_answer_then_the_end(&server, &preflight, 200);
    let bad = format!("POST /%zz HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len());
    one_answer_then_the_end(&server, &bad, 400);
}

#[test]
fn a_request_behind_an_announced_end_is_not_served() {
    let server = TestServer::start();
    let refused = post("/nowhere", "Content-Length: 2\r\n", "ok");
    one_answer_then_the_end(&server, &format!("{refused}{HIDDEN}"), 404);
    let over = chunked(&"x".repeat(60_000)).replace("\r\n0\r\n\r\n", "\r\n") + &chunked(&"x".repeat(50_000));
    let large = post("/echo", "Transfer-Encoding: chunked\r\n", &over);
    one_answer_then_the_end(&server, &format!("{large}{HIDDEN}"), 413);
}

#[test]
fn a_body_asking_for_a_websocket_still_ends_where_it_says() {
    let server = TestServer::start();
    let headers = "Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n";
    let mut client = Client::connect(server.address);
    let answer = client.send(post("/echo", headers, &format!("hello{HIDDEN}"))).answer();
    assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
    assert_eq!(client.rest(), "");
    let upgrade =
        format!("GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n{HIDDEN}");
    one_answer_then_the_end(&server, &upgrade, 200);
}

#[test]
fn a_client_that_waits_for_the_go_ahead_gets_it() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    client.send(post("/echo", "Content-Length: 2\r\nExpect: 100-continue\r\n", ""));
    assert_eq!(client.answer().status, 100);
    assert_eq!(client.send("ok").answer().body, "ok");
}

#[test]
fn a_protocol_that_is_not_taken_up_is_not_announced() {
    let server = TestServer::start();
    for protocol in ["h2c", "websocket", "TLS/1.0"] {
        let mut client = Client::connect(server.address);
        let head = format!("GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n");
        let answer = client.send(head).answer();
        assert_eq!((answer.status, answer.one("connection")), (200, "close"), "{protocol}");
        assert_eq!(client.rest(), "", "{protocol}");
    }
}

#[test]
fn a_connection_ends_as_asked_and_what_follows_is_not_processed() {
    let server = TestServer::start();
    let get = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned();
    for last in [get, post("/echo", "Connection: close\r\nContent-Length: 2\r\n", "{}")] {
        let mut client = Client::connect(server.address);
        let answer = client.send(format!("{last}{HIDDEN}{HIDDEN}")).answer();
        assert_eq!((answer.status, answer.one("connection")), (200, "close"), "{last:?}");
        let rest = client.rest();
        assert!(!rest.contains("HTTP/1.1 2"), "{last:?}: {rest}");
    }
}
