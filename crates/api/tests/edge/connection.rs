//! Connections: reuse, pipelining, half-closed clients.

use std::time::Duration;

use sme_pulse_api::server::Bounds;

use crate::app::TestServer;
use crate::client::Client;

#[test]
fn a_connection_serves_requests_one_after_the_other() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    let pipelined = "GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(pipelined.repeat(5));
    for _ in 0..5 {
        assert_eq!(client.answer().status, 200);
        assert_eq!(client.answer().status, 404);
    }
}

#[test]
fn a_client_that_ended_its_half_still_gets_its_answer() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
    client.end_writing();
    assert_eq!(client.answer().body, "ok");
    assert_eq!(client.rest(), "");
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    assert_eq!(client.send("GET /health HTTP/1.0\r\n\r\n").answer().status, 200);
    assert_eq!(client.rest(), "");
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let bounds = Bounds { stuck_seconds: 1, ..Bounds::for_workers(1) };
    let server = TestServer::with(Duration::from_secs(30), bounds);
    let dropped = server.hear_start();
    let mut client = Client::connect(server.address);
    client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    dropped.recv_timeout(Duration::from_secs(30)).unwrap();
}
