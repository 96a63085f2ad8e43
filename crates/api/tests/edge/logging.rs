//! One access event for every request, whatever becomes of it.

use std::time::Duration;

use crate::app::TestServer;
use crate::client::{Client, get, once};

#[test]
fn every_request_has_one_event_with_its_id() {
    let server = TestServer::with_timeout(Duration::from_millis(50));
    let mut ids = Vec::new();
    for path in ["/health?secret=1", "/nowhere", "/panic", "/errors/503", "/%zz", "/held"] {
        ids.push(get(server.address, path).one("x-request-id").to_owned());
    }
    let too_large = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11000000\r\n\r\n";
    ids.push(once(server.address, too_large).one("x-request-id").to_owned());
    let log = server.log(ids.len());
    let lines: Vec<_> = log.iter().map(|logged| logged.line.as_str()).collect();
    let want = [
        "GET /health 200",
        "GET /nowhere 404",
        "GET /panic 500",
        "GET /errors/503 503",
        "GET /%zz 400",
        "GET /held 503",
        "POST /echo 413",
    ];
    assert_eq!(lines, want);
    assert!(log.iter().map(|logged| &logged.request_id).eq(&ids));
    assert!(log.iter().all(|logged| logged.client_ip.to_string() == "127.0.0.1" && logged.process_time >= 0.0));
    assert!(log[5].process_time >= 0.05);
}

#[test]
fn the_event_names_the_caller_once_known() {
    let server = TestServer::start();
    get(server.address, "/noted");
    get(server.address, "/health");
    let log = server.log(2);
    assert_eq!((log[0].caller, log[1].caller), ((Some(7), Some(3)), (None, None)));
}

#[test]
fn a_client_that_resets_while_it_waits_is_logged_as_gone() {
    let server = TestServer::start();
    let started = server.hear_start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        stream.writable().await.unwrap();
        stream.try_write(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        started.recv().unwrap();
        stream.set_zero_linger().unwrap();
    });
    assert_eq!(server.log(1)[0].line, "GET /held 499");
}

#[test]
fn a_client_that_goes_in_the_middle_of_its_body_is_logged_as_gone() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhell");
    client.end_writing();
    assert_eq!(server.log(1)[0].line, "POST /echo 499");
}
