//! Looks at the database now and then, so that a scrape tells its state without waiting for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use sme_pulse_persistence::Store;

/// Between two looks: the usual distance of scrapes.
const EVERY: Duration = Duration::from_secs(15);
/// What takes longer is no answer, as for `/health/ready`.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was seen last.
#[derive(Debug, Default)]
pub struct Probe {
    answers: AtomicBool,
    pending: AtomicU64,
}

impl Probe {
    /// Looks until it is dropped; spawn it on the runtime that serves the store.
    pub async fn watch(self: Arc<Self>, store: Store) {
        loop {
            let seen = tokio::time::timeout(PATIENCE, store.pending_migrations()).await;
            let pending = seen.ok().and_then(Result::ok);
            self.answers.store(pending.is_some(), Ordering::Relaxed);
            // While it does not answer, what was known of its migrations is still the best guess.
            if let Some(pending) = pending {
                self.pending.store(u64::try_from(pending).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Whether the database answered.
    pub fn answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    /// Migrations that were pending.
    pub fn pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }
}
