//! The one task that fetches keys: when they are no longer fresh, and when somebody meets a key that is not known. Whoever asks while it
//! fetches waits for the same answer.

use std::{sync::Arc, time::Duration};

use sme_pulse_domain::clock::Clock;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

use super::{backoff::Backoff, fetch::fetch, http::Client, status::Status};
use crate::token::{Moment, Trust};

/// The first waiting time after a failure, and the longest.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(1);
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Somebody needs keys.
pub(super) struct Ask {
    /// Whatever was fetched lately: the issuer itself says that there are others.
    pub(super) urgent: bool,
    /// Told when the keys are as fresh as they get. Dropping it is telling as well.
    pub(super) done: Option<oneshot::Sender<()>>,
}

pub(super) struct Keeper {
    pub(super) trust: Arc<Trust>,
    pub(super) client: Arc<Client>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cool_down: Duration,
    pub(super) asks: mpsc::UnboundedReceiver<Ask>,
    pub(super) status: Arc<watch::Sender<Status>>,
    pub(super) backoff: Backoff,
    pub(super) last: Option<Moment>,
}

impl Keeper {
    /// Until nobody can ask any more.
    pub(super) async fn run(mut self) {
        let mut next = Instant::now();
        loop {
            let ask = tokio::select! {
                // What is due comes first, so that early callers find the first fetch done.
                biased;
                () = sleep_until(next) => None,
                ask = self.asks.recv() => match ask {
                    None => return,
                    ask => ask,
                },
            };
            if ask.as_ref().is_some_and(|ask| !ask.urgent && !self.may_fetch()) {
                continue;
            }
            next = self.fetch(ask).await;
        }
    }

    fn may_fetch(&self) -> bool {
        let now = Moment::now(&*self.clock);
        self.last.is_none_or(|last| last.age(&now) >= self.cool_down)
    }

    /// Fetches, again if somebody urgent has come meanwhile, and lets go all who wait. When the keys will no longer be fresh.
    async fn fetch(&mut self, first: Option<Ask>) -> Instant {
        let mut waiting: Vec<_> = first.and_then(|ask| ask.done).into_iter().collect();
        loop {
            let wait = self.fetch_once().await;
            let mut urgent = false;
            while let Ok(ask) = self.asks.try_recv() {
                urgent |= ask.urgent;
                waiting.extend(ask.done);
            }
            if !urgent {
                drop(waiting);
                let now = Instant::now();
                return now.checked_add(wait).unwrap_or(now);
            }
        }
    }

    /// One try. How long until the next is due.
    async fn fetch_once(&mut self) -> Duration {
        let began = Moment::now(&*self.clock);
        let fetched = fetch(&self.client).await;
        self.last = Some(Moment::now(&*self.clock));
        match fetched {
            Ok((keys, fresh)) => {
                // As old as the question: the answer may have been under way for long.
                self.trust.publish(&keys, began);
                self.backoff.reset();
                self.tell(None);
                fresh
            }
            Err(error) => {
                self.trust.note_unreachable();
                let wait = self.backoff.failed();
                tracing::warn!(error = %error, failures = self.backoff.failures(), "The issuer's keys could not be fetched");
                self.tell(Some(error.to_string()));
                wait
            }
        }
    }

    fn tell(&self, failure: Option<String>) {
        let now = self.clock.now();
        self.status.send_modify(|status| {
            let keys = &mut status.keys;
            keys.fetches = keys.fetches.saturating_add(1);
            keys.failures = self.backoff.failures();
            if failure.is_none() {
                keys.fetched_at = Some(now);
            }
            keys.failure = failure;
        });
    }
}
