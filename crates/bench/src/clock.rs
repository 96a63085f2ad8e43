//! The one place of the benchmark that reads the clocks.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The current instant.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What this thread has used of a processor so far; how long it waited for one does not count.
pub(crate) fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}
