//! What the hashing pool has done: counts since its start, for whoever watches it.

use std::time::Duration;

/// Upper bounds of the waits that are told apart.
pub const WAIT_BOUNDS: [Duration; 9] = [
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// The state of a pool at one moment, and its counts since it was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolFigures {
    /// Hashes that can be computed at the same time.
    pub threads: usize,
    /// Places in the queue.
    pub places: usize,
    /// Hashes being computed.
    pub busy: usize,
    /// Those who wait and have proved something.
    pub waiting_proven: usize,
    /// The others who wait.
    pub waiting_strangers: usize,
    /// Hashes computed.
    pub computed: u64,
    /// The time that took, over all threads.
    pub compute_time: Duration,
    /// Those whose turn came, by how long they had waited: up to each of [`WAIT_BOUNDS`] (and longer than the one before), and
    /// longer than all of them.
    pub waits: [u64; WAIT_BOUNDS.len() + 1],
    /// What they waited, all together.
    pub wait_time: Duration,
    /// Refused because there was no place.
    pub refused_full: u64,
    /// Refused after they had a place, for somebody whose source held fewer.
    pub refused_displaced: u64,
    /// Refused because they had waited for too long.
    pub refused_late: u64,
    /// Gone before their turn came.
    pub abandoned: u64,
}

impl PoolFigures {
    pub(super) fn of(threads: usize, places: usize) -> Self {
        Self { threads, places, ..Self::default() }
    }

    pub(super) fn started(&mut self, waited: Duration) {
        self.busy = self.busy.saturating_add(1);
        self.wait_time = self.wait_time.saturating_add(waited);
        let bucket = WAIT_BOUNDS.iter().position(|bound| waited <= *bound).unwrap_or(WAIT_BOUNDS.len());
        if let Some(count) = self.waits.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn computed(&mut self, took: Duration) {
        self.busy = self.busy.saturating_sub(1);
        self.computed = self.computed.saturating_add(1);
        self.compute_time = self.compute_time.saturating_add(took);
    }
}
