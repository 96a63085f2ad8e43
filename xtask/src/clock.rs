//! The one place that reads the monotonic clock, for durations shown to a person and for deadlines.

use std::time::Instant;

/// The current instant.
#[expect(clippy::disallowed_methods, reason = "build tools measure real time and have no test that fakes it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
