//! Counts that all replicas share in Redis: the log of `sliding.rs` as a list, one script a request.
//!
//! A request is counted in the process first and then here, and needs both to let it through. So whatever Redis forgets, by
//! a restart, an eviction or a clock that was set, no process lets more than N through in a window; and while Redis is
//! down each goes on alone. See docs/adr/0023-shared-limits.md.

mod key;
mod link;
mod script;
mod state;

use std::{sync::Arc, time::Duration};

use super::Decision;
use crate::config::SecretUrl;
pub use key::BudgetKey;
use link::Link;
pub(super) use script::SharedStamp;
use script::{List, Step};
use state::Counters;
pub use state::SharedState;

/// The shared counts. Clones share one connection.
#[derive(Debug, Clone)]
pub struct SharedLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: Link,
    counters: Counters,
}

/// A budget as Redis is told of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) requests: usize,
    pub(super) window: Duration,
}

impl SharedLog {
    /// Connects to nothing yet: until [`connect`](Self::connect) has, each process counts alone.
    pub fn new(url: SecretUrl) -> Self {
        Self(Arc::new(Inner { link: Link::new(url), counters: Counters::default() }))
    }

    /// One attempt to connect, over within a second; a failure is told in the log. The connection lives on the runtime that
    /// this is called on.
    pub async fn connect(&self) {
        self.0.link.connect().await;
    }

    /// Watches the connection and opens it again, for ever.
    pub async fn keep(&self) {
        self.0.link.keep().await;
    }

    /// How it goes.
    pub fn state(&self) -> SharedState {
        self.0.counters.read(self.0.link.is_up(), &self.0.link.errors)
    }

    /// Whether asking makes sense; if not, the process decides alone, which is counted.
    pub(super) fn is_up(&self) -> bool {
        self.0.link.is_up()
    }

    pub(super) fn fell_back(&self) {
        self.0.counters.fallbacks.add();
    }

    /// Checks and counts a request; `None` when the process has to decide alone.
    pub(super) async fn admit(&self, shape: Shape, key: &impl BudgetKey) -> Option<(Decision, SharedStamp)> {
        let decision = self.run(Step::Admit, shape, key).await;
        let Counters { admitted, refused, fallbacks } = &self.0.counters;
        match decision {
            Some((Decision::Admitted { .. }, _)) => admitted.add(),
            Some((Decision::Refused { .. }, _)) => refused.add(),
            None => fallbacks.add(),
        }
        decision
    }

    /// Takes back a request of a key, if Redis still remembers it; where the key stands then.
    pub(super) async fn refund(&self, shape: Shape, key: &impl BudgetKey, stamp: SharedStamp) -> Option<Decision> {
        self.run(Step::Refund(stamp), shape, key).await.map(|(decision, _)| decision)
    }

    async fn run(&self, step: Step, shape: Shape, key: &impl BudgetKey) -> Option<(Decision, SharedStamp)> {
        let Shape { name, requests, window } = shape;
        self.0.link.run(step, List { key: &key::filed(name, key), requests, window }).await
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
