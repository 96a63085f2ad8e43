//! The work in the background that belongs to a verifier: it begins with it and ends with its last clone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sme_pulse_domain::clock::Clock;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, oneshot, watch},
    task::AbortHandle,
    time::timeout,
};

use super::{
    Credential,
    backoff::Backoff,
    feed::Feed,
    http::Client,
    keeper::{Ask, Keeper},
    status::{FeedStatus, Status},
};
use crate::token::{Trust, Verifier};

/// Most callers who wait for the issuer to speak: they cost memory, and anybody can make up names of keys.
const MOST_WAITING: usize = 1_024;
/// How long they wait at most. The issuer speaks every second, signed with the key that it signs tokens with.
const LONGEST_WAIT: Duration = Duration::from_millis(2_500);

/// A verifier's line to what works for it.
pub(crate) struct Following {
    asks: mpsc::UnboundedSender<Ask>,
    status: watch::Receiver<Status>,
    /// A nudge has been sent that nobody has answered yet.
    nudged: Arc<AtomicBool>,
    waiting: Semaphore,
    tasks: Vec<AbortHandle>,
    runtime: Handle,
}

pub(super) struct Start {
    pub(super) runtime: Handle,
    pub(super) trust: Arc<Trust>,
    pub(super) client: Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cool_down: Duration,
    pub(super) leeway: u32,
    /// What is shown, how long silence is borne, and whose revocations are read.
    pub(super) feed: Option<(Credential, Option<Duration>, String)>,
}

impl Following {
    pub(super) fn start(start: Start) -> Self {
        let Start { runtime, trust, client, clock, cool_down, leeway, feed } = start;
        let (asks, asked) = mpsc::unbounded_channel();
        let feed_status = feed.is_some().then(FeedStatus::default);
        let (status, watched) = watch::channel(Status { feed: feed_status, ..Status::default() });
        let (status, client) = (Arc::new(status), Arc::new(client));
        let keeper = Keeper {
            trust: Arc::clone(&trust),
            client: Arc::clone(&client),
            clock: Arc::clone(&clock),
            cool_down,
            asks: asked,
            status: Arc::clone(&status),
            backoff: Backoff::new(super::keeper::FIRST_WAIT, super::keeper::LONGEST_WAIT, Backoff::seed()),
            last: None,
        };
        let mut tasks = vec![runtime.spawn(keeper.run()).abort_handle()];
        if let Some((credential, patience, issuer)) = feed {
            let feed = Feed::new(super::feed::Parts {
                trust,
                client,
                clock,
                issuer,
                leeway,
                credential,
                patience,
                asks: asks.clone(),
                status,
            });
            tasks.push(runtime.spawn(feed.run()).abort_handle());
        }
        Self { asks, status: watched, nudged: Arc::default(), waiting: Semaphore::new(MOST_WAITING), tasks, runtime }
    }

    /// Has the keys fetched if the cool-down allows it, or waits for the fetch that runs. Whether they have been.
    pub(crate) async fn keys_fetched(&self) -> bool {
        let before = self.status.borrow().keys.fetches;
        let (done, told) = oneshot::channel();
        if self.asks.send(Ask { urgent: false, done: Some(done) }).is_ok() {
            // An error means that it is done as well, or that its runtime is gone.
            told.await.ok();
        }
        self.status.borrow().keys.fetches > before
    }

    /// For a key that is unknown during the cool-down: waits until the feed has spoken twice, since one message may have been under way,
    /// or until keys have been fetched, which a message signed with a new key brings about. Whether either came to pass; `true` at once
    /// where no feed is followed.
    pub(crate) async fn issuer_spoke(&self) -> bool {
        let told = |status: &Status| status.feed.as_ref().map(|feed| feed.messages);
        let (fetches, messages) = {
            let status = self.status.borrow();
            let Some(messages) = told(&status) else { return true };
            (status.keys.fetches, messages)
        };
        let Ok(_place) = self.waiting.try_acquire() else { return false };
        let mut status = self.status.clone();
        let spoke = status.wait_for(|status| {
            status.keys.fetches > fetches || told(status).is_some_and(|now| now > messages.saturating_add(1))
        });
        timeout(LONGEST_WAIT, spoke).await.is_ok_and(|spoke| spoke.is_ok())
    }

    /// The same without waiting. One at a time, so that a storm of bad tokens piles nothing up.
    pub(crate) fn nudge(&self) {
        if self.nudged.swap(true, Ordering::AcqRel) {
            return;
        }
        let (done, told) = oneshot::channel();
        if self.asks.send(Ask { urgent: false, done: Some(done) }).is_ok() {
            let nudged = Arc::clone(&self.nudged);
            self.runtime.spawn(async move {
                told.await.ok();
                nudged.store(false, Ordering::Release);
            });
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Verifier {
    /// How following the issuer is going; `None` for a verifier that follows none.
    pub fn status(&self) -> Option<Status> {
        self.following.as_ref().map(|following| following.status.borrow().clone())
    }

    /// Waits until it is going like this, or forever. `false` if it never will: nobody is followed, or the runtime is gone.
    pub async fn until(&self, mut reached: impl FnMut(&Status) -> bool) -> bool {
        let Some(following) = &self.following else { return false };
        following.status.clone().wait_for(|status| reached(status)).await.is_ok()
    }

    /// Waits until tokens can be decided about: keys have been fetched, and the feed of revocations, if it is followed, has spoken.
    /// Give it a time limit of your own. `false` if it never will.
    pub async fn ready(&self) -> bool {
        self.following.is_none() || self.until(Status::is_ready).await
    }
}
