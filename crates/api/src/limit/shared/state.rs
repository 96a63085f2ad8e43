//! Numbers about the shared counts, for who watches them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How sharing goes in this process. The numbers only grow, from the start of the process on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedState {
    /// Whether Redis is asked.
    pub up: bool,
    /// Requests that Redis let through.
    pub admitted: u64,
    /// Requests that Redis refused; those that this process refused without asking are not among them.
    pub refused: u64,
    /// Requests that this process let through alone, because Redis did not answer or was known to be down.
    pub fallbacks: u64,
    /// Calls and attempts to connect that failed.
    pub errors: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) admitted: Counter,
    pub(super) refused: Counter,
    pub(super) fallbacks: Counter,
}

impl Counters {
    pub(super) fn read(&self, up: bool, errors: &Counter) -> SharedState {
        let Self { admitted, refused, fallbacks } = self;
        SharedState {
            up,
            admitted: admitted.read(),
            refused: refused.read(),
            fallbacks: fallbacks.read(),
            errors: errors.read(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
