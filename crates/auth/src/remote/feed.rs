//! Following the feed of revocations: one connection after the other, until the verifier is gone. What a message means is
//! [`Follower`]'s to say.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use sme_pulse_domain::clock::Clock;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep, timeout_at},
};

use super::{
    Credential, EventError, EventReader,
    backoff::Backoff,
    http::{Client, HttpError},
    keeper::Ask,
    status::{FeedStatus, Status},
};
use crate::{
    revocation::{Follower, MAX_MESSAGE_BYTES, MessageError, Revocations, Step, revoked_keys},
    token::{Heard, Moment, TokenError, Told, Trust},
};

const FEED: &str = "/api/v1/auth/revocations";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A line holds a message and the name of its field.
const LONGEST_LINE: usize = MAX_MESSAGE_BYTES + 64;
/// A connection without a sign of life for so long is given up; signs come every second.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// After so long a snapshot is asked for instead of what came since: a database that was restored meanwhile counts differently.
const RESUMABLE: Duration = Duration::from_mins(1);
/// The first waiting time after a failure, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why a connection was given up.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Events(#[from] EventError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("there was no sign of life for too long")]
    Silence,
    #[error("messages are missing")]
    Gap,
    #[error("the issuer has closed the feed")]
    Closed,
    #[error("the credential cannot be sent in a header")]
    Credential,
}

pub(super) struct Parts {
    pub(super) trust: Arc<Trust>,
    pub(super) client: Arc<Client>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) issuer: String,
    pub(super) leeway: u32,
    pub(super) credential: Credential,
    pub(super) patience: Option<Duration>,
    pub(super) asks: mpsc::UnboundedSender<Ask>,
    pub(super) status: Arc<watch::Sender<Status>>,
}

pub(super) struct Feed {
    parts: Parts,
    follower: Follower,
    heard: Option<Heard>,
    /// What is known has holes: only a snapshot fills them.
    missing: bool,
    backoff: Backoff,
    silence: Duration,
}

impl Feed {
    pub(super) fn new(parts: Parts) -> Self {
        // Early enough that another connection can be made before patience ends.
        let half = parts.patience.and_then(|patience| patience.checked_div(2)).unwrap_or(LONGEST_SILENCE);
        Self {
            follower: Follower::new(parts.leeway),
            heard: None,
            missing: false,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT, Backoff::seed()),
            silence: half.clamp(Duration::from_secs(2), LONGEST_SILENCE),
            parts,
        }
    }

    pub(super) async fn run(mut self) {
        // The first message would only have the keys fetched a second time.
        self.parts.status.subscribe().wait_for(|status| status.keys.fetches > 0).await.ok();
        loop {
            let Err(error) = self.connection().await;
            let wait = self.backoff.failed();
            tracing::warn!(error = %error, failures = self.backoff.failures(), "The feed of revocations was lost");
            let failures = self.backoff.failures();
            self.tell(|feed| {
                feed.failures = failures;
                feed.failure = Some(error.to_string());
            });
            sleep(wait).await;
        }
    }

    /// One connection, until it is of no use.
    async fn connection(&mut self) -> Result<std::convert::Infallible, FeedError> {
        self.tell(|feed| feed.connections = feed.connections.saturating_add(1));
        let headers = self.headers()?;
        let mut answer = self.parts.client.get(FEED, headers, &["text/event-stream"]).await?;
        let (mut reader, mut events) = (EventReader::new(LONGEST_LINE), Vec::new());
        let mut deadline = self.deadline();
        loop {
            let bytes = timeout_at(deadline, answer.next()).await.map_err(|_| FeedError::Silence)??;
            reader.read(&bytes.ok_or(FeedError::Closed)?, &mut events)?;
            for event in events.drain(..) {
                match self.take(&event.data).await? {
                    Step::Current => deadline = self.deadline(),
                    Step::Old => {}
                    Step::Gap => {
                        self.missing = true;
                        return Err(FeedError::Gap);
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.silence).unwrap_or(now)
    }

    fn headers(&self) -> Result<HeaderMap, FeedError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(AUTHORIZATION, self.parts.credential.header().ok_or(FeedError::Credential)?);
        let now = Moment::now(&*self.parts.clock);
        let lately = self.heard.is_some_and(|heard| heard.age(&now, self.parts.leeway) < RESUMABLE);
        // The number is the signed one; the `id` of an event is anybody's.
        if lately && !self.missing {
            headers.insert(LAST_EVENT_ID, HeaderValue::from(self.follower.seq()));
        }
        Ok(headers)
    }

    async fn take(&mut self, text: &str) -> Result<Step, FeedError> {
        let message = match self.open(text) {
            Err(MessageError::NotGenuine(TokenError::UnknownKey)) => {
                self.keys_fetched().await;
                self.open(text)?
            }
            opened => opened?,
        };
        let now = Moment::now(&*self.parts.clock);
        let step = self.follower.take(&message, self.parts.clock.now().timestamp());
        if step == Step::Current {
            self.heard = Some(Heard { at: now, signed_at: message.at });
            self.missing = false;
            self.backoff.reset();
        }
        self.publish();
        if self.parts.trust.revoke(revoked_keys(&message)) {
            // Nobody waits for it: the key counts no longer, and another one is needed soon.
            self.parts.asks.send(Ask { urgent: true, done: None }).ok();
        }
        let (heard, seq) = (self.parts.clock.now(), self.follower.seq());
        self.tell(|feed| {
            feed.messages = feed.messages.saturating_add(1);
            feed.seq = seq;
            if step == Step::Current {
                feed.heard_at = Some(heard);
                feed.failures = 0;
                feed.failure = None;
            }
        });
        Ok(step)
    }

    fn open(&self, text: &str) -> Result<Revocations, MessageError> {
        Revocations::open(text, &self.parts.trust.ring(), &self.parts.issuer, self.parts.clock.now().timestamp())
    }

    async fn keys_fetched(&self) {
        let (done, told) = oneshot::channel();
        if self.parts.asks.send(Ask { urgent: true, done: Some(done) }).is_ok() {
            told.await.ok();
        }
    }

    fn publish(&self) {
        if let Some(feed) = &self.parts.trust.feed {
            let told: &ArcSwapOption<Told> = &feed.told;
            told.store(Some(Arc::new(Told { follower: self.follower.clone(), heard: self.heard })));
        }
    }

    fn tell(&self, change: impl FnOnce(&mut FeedStatus)) {
        self.parts.status.send_modify(|status| change(status.feed.get_or_insert_default()));
    }
}
