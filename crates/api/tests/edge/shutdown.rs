//! Stopping: work in flight is finished, everything else is let go at once.

use std::time::{Duration, Instant};

use crate::app::TestServer;
use crate::client::Client;

#[test]
fn idle_and_half_sent_connections_do_not_delay_the_end_and_work_in_flight_is_answered() {
    let mut server = TestServer::start();
    let started = server.hear_start();
    let mut idle = Client::connect(server.address);
    assert_eq!(idle.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
    let mut silent = Client::connect(server.address);
    let mut half = Client::connect(server.address);
    half.send("GET /health HTTP/1.1\r\nHo");
    let mut working = Client::connect(server.address);
    working.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    started.recv().unwrap();

    drop(server.handle.stop(true));
    for client in [&mut idle, &mut half, &mut silent] {
        assert_eq!(client.rest(), "");
    }
    server.release.add_permits(1);
    assert_eq!(working.answer().body, "released");
    assert_eq!(working.rest(), "");
    server.join();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the bound is about real time")]
fn work_that_never_ends_is_cut_off_within_ten_seconds() {
    let mut server = TestServer::start();
    let started = server.hear_start();
    let mut working = Client::connect(server.address);
    working.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut sending = Client::connect(server.address);
    sending.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhell");
    started.recv().unwrap();

    let stopped = Instant::now();
    drop(server.handle.stop(true));
    server.join();
    assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
    let log = server.log(2);
    assert!(log.iter().all(|logged| logged.line.ends_with("499")), "{log:?}");
}
