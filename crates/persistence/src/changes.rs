//! News of changes that decide who may do what, made by anybody: another replica, a command, a person at the database.
//!
//! PostgreSQL tells by `NOTIFY` from triggers; a lost listener is noticed within a second. A SQLite file is looked at:
//! every commit changes the write-ahead log.

mod file_watch;
mod listener;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sme_pulse_domain::ids::{OrgId, UserId};

use crate::Store;
use file_watch::FileWatch;

/// What may be different from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A user: status, roles, sessions, password, profile.
    User(UserId),
    /// An organization's status.
    Organization(OrgId),
    /// The keys that tokens are signed with.
    Keys,
    /// The list of revocations.
    Revocations,
    /// Anything.
    Everything,
}

/// Called with every change, from a background task or from [`ChangeFeed::is_current`].
pub type OnChange = Arc<dyn Fn(Change) + Send + Sync>;

/// News for as long as it lives.
pub struct ChangeFeed(Source);

enum Source {
    File(FileWatch, OnChange),
    Listener { live: Arc<AtomicBool>, task: tokio::task::JoinHandle<()> },
}

impl Store {
    /// Starts to follow changes; on PostgreSQL by a task with a connection of its own.
    pub fn follow_changes(&self, on_change: OnChange) -> ChangeFeed {
        if let Some(path) = self.file() {
            return ChangeFeed(Source::File(FileWatch::new(path), on_change));
        }
        let live = Arc::new(AtomicBool::new(false));
        let pool = self.raw().get_postgres_connection_pool().clone();
        let task = tokio::spawn(listener::run(pool, Arc::clone(&live), on_change));
        ChangeFeed(Source::Listener { live, task })
    }
}

impl ChangeFeed {
    /// Whether all changes committed up to now have been told, as far as can be known here. While it is `false`
    /// nothing that was read earlier may be believed.
    pub fn is_current(&self) -> bool {
        match &self.0 {
            Source::Listener { live, .. } => live.load(Ordering::Acquire),
            Source::File(watch, on_change) => match watch.look() {
                file_watch::Seen::Same => true,
                file_watch::Seen::Changed => {
                    on_change(Change::Everything);
                    true
                }
                file_watch::Seen::Unknown => false,
            },
        }
    }
}

impl Drop for ChangeFeed {
    fn drop(&mut self) {
        if let Source::Listener { task, .. } = &self.0 {
            task.abort();
        }
    }
}
