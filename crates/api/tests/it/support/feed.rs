//! A reader of the stream of revocations that checks what every reader may rely on: signed, in order, without a gap.

use std::time::Duration;

use reqwest::Response;
use sme_pulse_auth::{
    revocation::{Revocations, Revoked},
    token::{Algorithm, KeyRing, VerifyingKey},
};

use super::{Member, app::SECRET};

pub(crate) const REVOCATIONS: &str = "/api/v1/auth/revocations";
/// Only a failure takes longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream.
pub(crate) struct Feed {
    response: Response,
    unread: String,
    keys: KeyRing,
    /// The number of the last message.
    pub(crate) seq: u64,
}

/// The keys that a service elsewhere has.
pub(crate) fn shared_secret() -> KeyRing {
    KeyRing::new([VerifyingKey::shared_secret(SECRET.as_bytes(), Algorithm::Hs256).unwrap()]).unwrap()
}

/// A message that one of the keys has signed.
pub(crate) fn opened(text: &str, keys: &KeyRing) -> Revocations {
    Revocations::open(text, keys, "sme-pulse", i64::MAX).unwrap()
}

impl Member<'_> {
    /// A snapshot, or what came after a number.
    pub(crate) async fn revocations(&self, query: &str) -> Revocations {
        let answer = self.get(&format!("{REVOCATIONS}{query}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jwt")), "{}", answer.text);
        assert_eq!(answer.one("cache-control"), "no-store");
        opened(&answer.text, &shared_secret())
    }

    /// Opens a stream; with the number of the last message known.
    pub(crate) async fn follow(&self, known: Option<&str>) -> Feed {
        let mut request = self.request("GET", REVOCATIONS).header("accept", "text/event-stream");
        if let Some(known) = known {
            request = request.header("last-event-id", known);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Feed { response, unread: String::new(), keys: shared_secret(), seq: 0 }
    }
}

impl Feed {
    /// From now on other keys count.
    pub(crate) fn trust(&mut self, keys: KeyRing) {
        self.keys = keys;
    }

    /// The next message; `None` when the stream has ended. But for the first, each begins where the one before ended.
    pub(crate) async fn next(&mut self) -> Option<Revocations> {
        let text = self.event().await?;
        let mut lines = text.trim_start_matches("retry: 1000\n").split('\n');
        let id: u64 = lines.next().unwrap().strip_prefix("id: ").unwrap().parse().unwrap();
        assert_eq!(lines.next(), Some("event: revocations"));
        let message = opened(lines.next().unwrap().strip_prefix("data: ").unwrap(), &self.keys);
        assert_eq!((lines.next(), message.seq), (None, id), "{text}");
        if !text.starts_with("retry") {
            assert_eq!(message.after, self.seq, "a gap");
        }
        self.seq = id;
        Some(message)
    }

    /// What the next message with anything in it tells.
    pub(crate) async fn news(&mut self) -> Vec<Revoked> {
        let waiting = async {
            loop {
                let message = self.next().await.expect("the stream goes on");
                if !message.entries.is_empty() {
                    return message.entries.into_iter().map(|entry| entry.what).collect();
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("no news")
    }

    /// Reads until the end.
    pub(crate) async fn end(&mut self) {
        let ending = async { while self.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, ending).await.expect("the stream goes on");
    }

    async fn event(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(event);
            }
            let chunk =
                tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("no sign of life").unwrap()?;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
