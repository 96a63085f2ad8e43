//! The one place of the benchmark that reads the clock.

use std::time::Instant;

/// The current instant.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
