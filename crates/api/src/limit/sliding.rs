//! An exact sliding log: per key, the instants of the admissions that still lie in the window.

use std::{
    collections::VecDeque,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lru::LruCache;

/// Most keys remembered at once.
///
/// With N = 5 and 16-byte keys an entry takes 80 bytes (key 16, deque 32, links 16, allocator 16), its instants 80
/// (room for 8, and the allocator), its share of the hash table 22 (131,072 slots of 17 bytes): 18 MB for 100,000
/// keys, however many addresses come by.
const MAX_KEYS: usize = 100_000;
/// Most instants remembered over all keys: 8 bytes each, twice that while a deque grows, so at most 16 MB.
const MAX_INSTANTS: usize = 1_000_000;
/// Idle keys dropped by one request, so that no request pays for many. More than one, so that the table shrinks.
const DROPPED_PER_CALL: usize = 16;
/// Idle keys dropped by one step of a sweep: well below a millisecond under the lock.
const DROPPED_PER_STEP: usize = 1_000;
/// A log keeps at most this many times the room it needs.
const SLACK: usize = 4;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The answer to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Counted and let through.
    Admitted {
        /// Requests left now.
        left: u32,
        /// Seconds, rounded up, until the oldest counted request leaves the window.
        reset_secs: u64,
    },
    /// Not counted.
    Refused {
        /// Seconds, rounded up, until one more request fits.
        reset_secs: u64,
    },
}

/// When a request was counted. Requests of one instant are as good as each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

/// Lets at most N requests per key through in any window `[t, t + W)`.
#[derive(Debug)]
pub struct SlidingLimiter<K: Hash + Eq> {
    bounds: Bounds,
    table: Mutex<Table<K>>,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    requests: usize,
    window: u64,
    keys: usize,
    instants: usize,
}

impl<K: Hash + Eq + Copy> SlidingLimiter<K> {
    /// A budget of `requests` per `window` and key. More requests than can be remembered are cut to that.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self::bounded(requests, window, MAX_KEYS, MAX_INSTANTS)
    }

    fn bounded(requests: u32, window: Duration, keys: usize, instants: usize) -> Self {
        let requests = usize::try_from(requests).unwrap_or(instants).min(instants);
        let bounds = Bounds { requests, window: nanos(window), keys, instants };
        Self { bounds, table: Mutex::new(Table::default()) }
    }

    /// Checks and counts one request in one step. `now` comes from `Clock::monotonic`.
    pub fn admit(&self, key: K, now: Duration) -> Decision {
        self.admit_stamped(key, now).0
    }

    /// As [`admit`](Self::admit), with what [`refund`](Self::refund) knows the request by; without meaning for one that is refused.
    pub(super) fn admit_stamped(&self, key: K, now: Duration) -> (Decision, Stamp) {
        let mut table = self.lock();
        let now = table.advance(now);
        table.drop_idle(now, self.bounds.window, DROPPED_PER_CALL);
        let decision = table.count(key, now, self.bounds);
        let overflowed = table.forget_excess(self.bounds);
        drop(table);
        if overflowed {
            tracing::warn!("Rate limit table full, the entries nearest to their end are forgotten");
        }
        (decision, Stamp(now))
    }

    /// Takes back an admission of a key, if it is still remembered. That one and not just any: those that stay would leave the
    /// window too early.
    pub(super) fn refund(&self, key: K, stamp: Stamp) {
        let mut table = self.lock();
        let Some(log) = table.logs.peek_mut(&key) else { return };
        let index = log.iter().rposition(|at| *at == stamp.0);
        let taken = usize::from(index.and_then(|index| log.remove(index)).is_some());
        let empty = log.is_empty();
        table.instants = table.instants.saturating_sub(taken);
        if empty {
            table.logs.pop(&key);
        }
    }

    /// Where a key stands, without counting anything.
    pub fn state(&self, key: K, now: Duration) -> Decision {
        let mut table = self.lock();
        let now = table.advance(now);
        let live = |at: &&u64| self.bounds.reset_nanos(**at, now) > 0;
        let log = table.logs.peek(&key).map(|log| log.iter().filter(live));
        let (counted, oldest) = log
            .map_or((0, now), |mut log| log.next().map_or((0, now), |oldest| (log.count().saturating_add(1), *oldest)));
        self.bounds.admitted(counted, oldest, now)
    }

    /// Drops every entry that has left the window; for a timer, so that memory comes back without further requests.
    pub fn sweep(&self, now: Duration) {
        loop {
            let mut table = self.lock();
            let now = table.advance(now);
            // In steps, so that requests get their turn in between.
            if !table.drop_idle(now, self.bounds.window, DROPPED_PER_STEP) {
                return;
            }
        }
    }

    /// Requests per window and key.
    pub fn requests(&self) -> usize {
        self.bounds.requests
    }

    /// How many keys are remembered.
    pub fn keys(&self) -> usize {
        self.lock().logs.len()
    }

    /// A panic elsewhere cannot leave the table half-changed in a way that admits more, so poison is no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Table<K>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Table<K: Hash + Eq> {
    /// In order of last admission: the coldest entry is the first one to end.
    logs: LruCache<K, VecDeque<u64>>,
    /// Instants in all logs.
    instants: usize,
    /// The latest instant seen. Threads read the clock before they get here, so they may arrive out of order.
    latest: u64,
    /// Live entries were forgotten, and the table has not drained since.
    overflowing: bool,
}

impl<K: Hash + Eq> Default for Table<K> {
    fn default() -> Self {
        Self { logs: LruCache::unbounded(), instants: 0, latest: 0, overflowing: false }
    }
}

impl<K: Hash + Eq + Copy> Table<K> {
    fn advance(&mut self, now: Duration) -> u64 {
        self.latest = self.latest.max(nanos(now));
        self.latest
    }

    fn count(&mut self, key: K, now: u64, bounds: Bounds) -> Decision {
        let Some(log) = self.logs.peek_mut(&key) else {
            if bounds.requests == 0 {
                return Decision::Refused { reset_secs: bounds.reset(now, now) };
            }
            self.logs.push(key, VecDeque::from([now]));
            self.instants = self.instants.saturating_add(1);
            return bounds.admitted(1, now, now);
        };
        while log.front().is_some_and(|&oldest| bounds.reset_nanos(oldest, now) == 0) {
            log.pop_front();
            self.instants = self.instants.saturating_sub(1);
        }
        if log.capacity() > log.len().saturating_add(1).saturating_mul(SLACK) {
            log.shrink_to(log.len().saturating_mul(2));
        }
        let oldest = log.front().copied().unwrap_or(now);
        if log.len() >= bounds.requests {
            return Decision::Refused { reset_secs: bounds.reset(oldest, now) };
        }
        log.push_back(now);
        self.instants = self.instants.saturating_add(1);
        let counted = log.len();
        // Only an admission moves a key: a refused one must not make it outlive others.
        self.logs.promote(&key);
        bounds.admitted(counted, oldest, now)
    }

    /// Drops up to `most` entries that have left the window, coldest first; whether there may be more.
    fn drop_idle(&mut self, now: u64, window: u64, most: usize) -> bool {
        for _ in 0..most {
            let coldest = self.logs.peek_lru().and_then(|(_, log)| log.back().copied());
            if coldest.is_none_or(|last| last.saturating_add(window) > now) {
                return false;
            }
            self.forget_coldest();
        }
        true
    }

    /// Forgets live entries beyond the bounds, those nearest to their end first; `true` when this has just begun.
    fn forget_excess(&mut self, bounds: Bounds) -> bool {
        let before = self.overflowing;
        while self.logs.len() > bounds.keys || self.instants > bounds.instants {
            self.forget_coldest();
            self.overflowing = true;
        }
        let half_full = self.logs.len() > bounds.keys.div_euclid(2) || self.instants > bounds.instants.div_euclid(2);
        self.overflowing &= half_full;
        self.overflowing && !before
    }

    fn forget_coldest(&mut self) {
        let forgotten = self.logs.pop_lru().map_or(0, |(_, log)| log.len());
        self.instants = self.instants.saturating_sub(forgotten);
    }
}

impl Bounds {
    fn admitted(self, counted: usize, oldest: u64, now: u64) -> Decision {
        let left = u32::try_from(self.requests.saturating_sub(counted)).unwrap_or(u32::MAX);
        Decision::Admitted { left, reset_secs: self.reset(oldest, now) }
    }

    fn reset(self, oldest: u64, now: u64) -> u64 {
        self.reset_nanos(oldest, now).div_ceil(NANOS_PER_SECOND)
    }

    fn reset_nanos(self, oldest: u64, now: u64) -> u64 {
        oldest.saturating_add(self.window).saturating_sub(now)
    }
}

/// Whole nanoseconds; they last for 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "sliding_tests.rs"]
mod tests;
