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
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
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

/// A verifier's line to what works for it.
pub(crate) struct Following {
    asks: mpsc::UnboundedSender<Ask>,
    status: watch::Receiver<Status>,
    /// A nudge has been sent that nobody has answered yet.
    nudged: Arc<AtomicBool>,
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
        Self { asks, status: watched, nudged: Arc::default(), tasks, runtime }
    }

    /// Has the keys fetched if the cool-down allows it, or waits for the fetch that runs.
    pub(crate) async fn keys_fetched(&self) {
        let (done, told) = oneshot::channel();
        if self.asks.send(Ask { urgent: false, done: Some(done) }).is_ok() {
            // An error means that it is done as well, or that its runtime is gone.
            told.await.ok();
        }
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
