//! Time that stands still until a test moves it.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sme_pulse_domain::clock::Clock;

/// A clock that a test moves.
#[derive(Debug)]
pub struct FixedClock {
    /// Microseconds since 1970.
    wall: AtomicI64,
    /// Microseconds since the start.
    steady: AtomicU64,
}

impl Default for FixedClock {
    /// 14 November 2023, 22:13:20.
    fn default() -> Self {
        Self::at(1_700_000_000)
    }
}

impl FixedClock {
    /// A clock that shows this second since 1970.
    pub const fn at(second: i64) -> Self {
        Self { wall: AtomicI64::new(second.saturating_mul(1_000_000)), steady: AtomicU64::new(0) }
    }

    /// The second since 1970 that it shows.
    pub fn seconds(&self) -> i64 {
        self.wall.load(Ordering::SeqCst).div_euclid(1_000_000)
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.steady.fetch_add(micros, Ordering::SeqCst);
        self.wall.fetch_add(i64::try_from(micros).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Sets the wall clock, as an administrator does: no time passes.
    pub fn set(&self, second: i64) {
        self.wall.store(second.saturating_mul(1_000_000), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.wall.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.steady.load(Ordering::SeqCst))
    }
}
