//! Time as an argument: every rule that depends on the time is given a [`Clock`], so that tests need no sleeps.

use std::time::{Duration, Instant};

use chrono::{DateTime, Timelike, Utc};

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The current instant in UTC, cut to microseconds, which is what both databases can store.
    fn now(&self) -> DateTime<Utc>;

    /// Time since an arbitrary fixed point; never runs backwards, whatever happens to the wall clock.
    fn monotonic(&self) -> Duration;
}

/// The system's clock.
#[derive(Debug, Clone)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the ambient clock")]
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the ambient clock")]
    fn now(&self) -> DateTime<Utc> {
        to_micros(Utc::now())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Cuts an instant to whole microseconds (never rounds up, so that nothing lies in the future).
pub fn to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.with_nanosecond(at.timestamp_subsec_micros().saturating_mul(1_000)).unwrap_or(at)
}
