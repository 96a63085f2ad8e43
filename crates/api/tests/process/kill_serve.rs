//! `kill -9` in the middle of log-ins, again and again: whatever was acknowledged is there, and nothing is there in
//! halves.

use std::net::SocketAddr;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::support::{Home, Server, assert_unbroken_audit_trail, note};

const CLIENTS: usize = 6;

/// Logs in until the server is gone; hands over the token of each acknowledged log-in.
async fn client(address: SocketAddr, acknowledged: UnboundedSender<String>) {
    let http = reqwest::Client::new();
    while let Ok(answer) = Server::try_log_in(&http, address).await {
        if acknowledged.send(answer.token()).is_err() {
            break;
        }
    }
}

/// One life of a server: it is killed at the so-many-th acknowledged log-in, with others in flight.
async fn live_and_die(home: &Home, before: &[String], log_ins: usize) -> Vec<String> {
    let mut server = home.serve().await;
    for token in before {
        let answer = server.me(token).await;
        assert_eq!(answer.status, 200, "an acknowledged session is lost: {}", answer.text);
    }
    let (sender, mut acknowledged) = unbounded_channel();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(server.address, sender.clone()));
    }
    drop(sender);
    let mut tokens = Vec::new();
    while tokens.len() < log_ins {
        tokens.push(acknowledged.recv().await.unwrap());
    }
    server.kill();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    while let Some(token) = acknowledged.recv().await {
        tokens.push(token);
    }
    tokens
}

async fn kill_during_log_ins(home: Home, rounds: usize) {
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let (mut total, mut last) = (0, Vec::new());
    for round in 0..rounds {
        last = live_and_die(&home, &last, round % 12).await;
        total += last.len();
    }
    let mut server = home.serve().await;
    for token in &last {
        assert_eq!(server.me(token).await.status, 200);
    }
    assert_eq!(server.log_in().await.status, 200);
    server.stop().await;
    assert_nothing_in_halves(&home, total + 1).await;
    let stored = home.numbers("SELECT COUNT(*) FROM auth.sessions").await[0];
    note(&format!("{rounds} kills: {} log-ins acknowledged, {stored} stored", total + 1));
}

/// Each log-in wrote a session, an audit event and the user's last log-in: all three or none.
async fn assert_nothing_in_halves(home: &Home, acknowledged: usize) {
    home.assert_intact().await;
    let events = assert_unbroken_audit_trail(home).await;
    let sessions = home.numbers("SELECT COUNT(*) FROM auth.sessions").await[0];
    let log_ins = home.numbers("SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%.log_in'").await[0];
    assert_eq!(sessions, log_ins);
    assert_eq!(usize::try_from(log_ins).unwrap() + 1, events, "the seeds are the only other event");
    assert!(usize::try_from(sessions).unwrap() >= acknowledged);
    let noted = "SELECT COUNT(*) FROM core.users WHERE last_login_at IN (SELECT created_at FROM auth.sessions)";
    assert_eq!(home.numbers(noted).await, [1]);
}

#[tokio::test]
async fn a_hundred_kills_during_log_ins_lose_nothing_on_sqlite() {
    kill_during_log_ins(Home::sqlite().await, 100).await;
}

#[tokio::test]
async fn kills_during_log_ins_lose_nothing_on_postgres() {
    if let Some(home) = Home::postgres().await {
        kill_during_log_ins(home, 15).await;
    }
}
