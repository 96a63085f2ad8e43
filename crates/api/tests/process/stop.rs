//! SIGTERM and SIGINT: what is in flight is answered, what is idle is let go, and the process ends with 0.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sme_pulse_testing::on_both_databases;

use crate::support::{BODY, Home, Raw, Server, until};

async fn in_flight(server: &Server) -> Raw {
    let mut client = Raw::connect(server.address).await;
    let length = BODY.len();
    client
        .send(&format!(
            "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        ))
        .await;
    // From here on the handler waits for the body.
    assert!(client.head().await.starts_with("HTTP/1.1 100"));
    client
}

/// `stuck`: with a client that never sends the rest of its body, which costs the whole time that work in flight has.
async fn stops_cleanly(home: &Home, signal: Signal, stuck: bool) {
    let mut server = home.serve().await;
    let mut idle = Raw::connect(server.address).await;
    idle.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(idle.head().await.starts_with("HTTP/1.1 200"));
    let mut silent = Raw::connect(server.address).await;
    let mut half_head = Raw::connect(server.address).await;
    half_head.send("POST /auth/login HTTP/1.1\r\nHo").await;
    let mut half_body = Vec::new();
    if stuck {
        half_body.push(in_flight(&server).await);
        half_body[0].send(&BODY[..7]).await;
    }
    let mut working = Vec::new();
    for _ in 0..3 {
        working.push(in_flight(&server).await);
    }

    for client in &mut working {
        client.send(BODY).await;
    }
    server.signal(signal);
    for mut client in working {
        let answer = client.rest(10).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(r#""access_token":""#) && answer.ends_with('}'), "{answer}");
    }
    for client in [&mut silent, &mut half_head] {
        assert_eq!(client.rest(10).await, "");
    }
    assert_eq!(server.ended(10).await.code(), Some(0));
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
    server.rest_of_log().await;
    assert_eq!(server.log.last().unwrap()["msg"], "Server stopped");
    let answered = server.log.iter().filter(|event| event["msg"] == "Request completed" && event["status_code"] == 200);
    assert_eq!(answered.count(), 4, "{:?}", server.log);
    assert!(server.log.iter().all(|event| event["level"].as_i64().unwrap() < 50), "{:?}", server.log);
}

on_both_databases! {
    async fn sigterm_answers_what_is_in_flight_and_ends_with_0(mut home: Home) {
        // Slow enough to be in flight for a while, three after one another.
        home.set("BACKEND_BCRYPT_COST", "11").set("BACKEND_HASH_CONCURRENCY", "1");
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        stops_cleanly(&home, Signal::TERM, false).await;
        assert_eq!(home.numbers("SELECT COUNT(*) FROM auth.sessions").await, [3]);
    }
}

on_both_databases! {
    async fn when_sessions_were_last_used_is_written_before_the_end(home: Home) {
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        let mut server = home.serve().await;
        let token = server.log_in().await.token();
        home.sql("UPDATE auth.sessions SET last_seen_at = NULL").await;
        assert_eq!(server.me(&token).await.status, 200);
        server.stop().await;
        server.rest_of_log().await;
        let written = home.numbers("SELECT COUNT(*) FROM auth.sessions WHERE last_seen_at > created_at").await;
        assert_eq!(written, [1], "{:?}", server.log);
    }
}

#[tokio::test]
async fn sigint_does_the_same() {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_BCRYPT_COST", "10");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    stops_cleanly(&home, Signal::INT, true).await;
}

#[tokio::test]
async fn a_signal_during_the_start_ends_it_with_0_too() {
    let mut home = Home::bare();
    // The start waits for this database for some seconds.
    home.set("DATABASE_URL", "postgres://user:hunter22@127.0.0.1:1/x");
    let mut child = home.start(&["serve"]);
    let log = home.folder().join("logs/app.log");
    until("the start has begun", Duration::from_secs(20), async || {
        std::fs::read_to_string(&log).is_ok_and(|text| text.contains("Effective settings")).then_some(())
    })
    .await;
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = until("the end", Duration::from_secs(10), async || child.try_wait().unwrap()).await;
    assert_eq!(ended.code(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("Server stopped") && !log.contains("Server started"), "{log}");
}

#[tokio::test]
async fn a_signal_while_the_database_is_unreachable_ends_it_as_well() {
    let mut home = Home::bare();
    home.set("DATABASE_URL", "postgres://user:hunter22@127.0.0.1:1/x");
    let mut server = home.serve().await;
    assert_eq!(server.get("/health").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_draining_server_serves_on_but_says_that_it_is_not_ready_until_a_second_signal() {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_DRAIN_SECONDS", "300");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let mut server = home.serve().await;
    assert_eq!(server.get("/health/ready").await.status, 200);
    server.signal(Signal::TERM);
    server.heard("Server draining").await.unwrap();
    let ready = server.get("/health/ready").await;
    crate::support::assert_clean_unavailable(&ready);
    assert_eq!(server.get("/health").await.status, 200);
    assert_eq!(server.log_in().await.status, 200);
    server.stop().await;
}
