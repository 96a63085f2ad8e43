//! The feed of revocations from a second server over the same database, on a connection that the test reads byte by byte; and its
//! end with the server.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use sme_pulse_auth::{
    revocation::{Revocations, Revoked},
    token::{Algorithm, KeyRing, VerifyingKey},
};
use sme_pulse_testing::on_both_databases;

use crate::support::{Home, KEY, Raw, Server, until};

/// Only a failure takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream, after its head.
struct Stream {
    raw: Raw,
    keys: KeyRing,
    seq: u64,
}

impl Stream {
    async fn open(server: &Server, token: &str, more: &str) -> Self {
        let mut raw = Raw::connect(server.address).await;
        raw.send(&format!(
            "GET /api/v1/auth/revocations HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
        ))
        .await;
        let head = raw.head().await.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        for line in [
            "transfer-encoding: chunked",
            "content-type: text/event-stream",
            "cache-control: no-store",
            "x-accel-buffering: no",
        ] {
            assert_eq!(head.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}: {head}");
        }
        assert!(!head.contains("content-length") && !head.contains("content-encoding"), "{head}");
        let secret = VerifyingKey::shared_secret(KEY.as_bytes(), Algorithm::Hs256).unwrap();
        Self { raw, keys: KeyRing::new([secret]).unwrap(), seq: 0 }
    }

    /// Each message is one chunk and one event.
    async fn next(&mut self) -> Revocations {
        let chunk = tokio::time::timeout(PATIENCE, self.raw.chunk()).await.unwrap().unwrap();
        let event = chunk.trim_start_matches("retry: 1000\n");
        let (id, rest) = event.strip_prefix("id: ").unwrap().split_once('\n').unwrap();
        let data = rest.strip_prefix("event: revocations\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!data.contains('\n'), "{data}");
        let message = Revocations::open(data, &self.keys, "sme-pulse", i64::MAX).unwrap();
        assert_eq!(id, message.seq.to_string());
        if event.len() == chunk.len() {
            assert_eq!(message.after, self.seq, "a gap");
        }
        self.seq = message.seq;
        message
    }

    async fn news(&mut self) -> Vec<Revoked> {
        let waiting = async {
            loop {
                let entries = self.next().await.entries;
                if !entries.is_empty() {
                    return entries.into_iter().map(|entry| entry.what).collect();
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap()
    }
}

fn ready(home: &mut Home) {
    home.set("BACKEND_SECRET_KEY", KEY);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
}

on_both_databases! {
    async fn what_ends_at_one_server_is_told_by_the_other(mut home: Home) {
        ready(&mut home);
        let (here, there) = (home.serve().await, home.serve().await);
        let token = here.log_in().await.token();
        let mut stream = Stream::open(&there, &token, "").await;
        let first = stream.next().await;
        assert_eq!((first.after, first.entries.len()), (0, 0));
        for _ in 0..5 {
            let other = here.log_in().await.token();
            assert_eq!(here.post("/api/v1/auth/logout", &other).await.status, 204);
            let told = stream.news().await;
            assert!(matches!(told[..], [Revoked::Session(_)]), "{told:?}");
        }
        // A reader that was away goes on where it was, at whichever server.
        let more = format!("Last-Event-ID: {}\r\n", stream.seq - 2);
        let missed = Stream::open(&here, &token, &more).await.next().await;
        assert_eq!((missed.after, missed.entries.len(), missed.seq), (stream.seq - 2, 2, stream.seq));
        // Revoked keys are told as well, to everybody; here as the command writes it.
        home.sql("INSERT INTO auth.revocations (kind, kid) VALUES ('key', 'gone')").await;
        assert!(matches!(&stream.news().await[..], [Revoked::Key(key)] if key.as_str() == "gone"));
        // Signs of life come by themselves, and are signed anew.
        let (one, other) = (stream.next().await, stream.next().await);
        assert!(other.at > one.at && other.entries.is_empty(), "{one:?} {other:?}");
    }

    async fn sigterm_ends_open_streams_at_once(mut home: Home) {
        ready(&mut home);
        let mut server = home.serve().await;
        let token = server.log_in().await.token();
        let mut streams = Vec::new();
        for _ in 0..5 {
            streams.push(Stream::open(&server, &token, "").await);
            streams.last_mut().unwrap().next().await;
        }
        // One that nobody reads is no hindrance either.
        let unread = Stream::open(&server, &token, "").await;
        server.signal(Signal::TERM);
        for stream in &mut streams {
            let ending = async { while stream.raw.chunk().await.is_some() {} };
            tokio::time::timeout(Duration::from_secs(5), ending).await.unwrap();
            assert_eq!(stream.raw.rest(5).await, "");
        }
        assert_eq!(server.ended(10).await.code(), Some(0));
        drop(unread);
        server.rest_of_log().await;
        let ends: Vec<&Value> = server.log.iter().filter(|event| event["msg"] == "Revocation feed ended").collect();
        assert_eq!(ends.len(), 6, "{:?}", server.log);
        assert!(ends.iter().all(|end| end["reason"] == json!("the server stops") && end["messages"].is_u64()), "{ends:?}");
        assert!(server.log.iter().all(|event| event["level"].as_i64().unwrap() < 50), "{:?}", server.log);
    }
}

/// Whoever is told that this is all must be told so by somebody who can look.
#[tokio::test]
async fn a_server_that_cannot_read_gives_no_sign_of_life() {
    let mut home = Home::sqlite().await;
    ready(&mut home);
    let server = home.serve().await;
    let token = server.log_in().await.token();
    let mut stream = Stream::open(&server, &token, "").await;
    stream.next().await;
    home.sql("ALTER TABLE auth.revocations RENAME TO away").await;
    let ending = async { while stream.raw.chunk().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ending).await.unwrap();
    assert_eq!(server.get_with("/api/v1/auth/revocations", &token).await.status, 500);
    // Tokens are made all the same, with the last number known.
    assert_eq!(server.log_in().await.status, 200);
    home.sql("ALTER TABLE away RENAME TO revocations").await;
    until("it is told again", PATIENCE, async || {
        (server.get_with("/api/v1/auth/revocations", &token).await.status == 200).then_some(())
    })
    .await;
}
