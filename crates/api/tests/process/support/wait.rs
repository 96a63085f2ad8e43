//! Waiting for something that can be observed, within a bound that only a failure reaches.

use std::sync::LazyLock;
use std::time::Duration;

use sme_pulse_domain::clock::{Clock as _, SystemClock};

/// Between two looks. Other processes cannot wake this one, so it has to look again.
const PAUSE: Duration = Duration::from_millis(10);
static CLOCK: LazyLock<SystemClock> = LazyLock::new(SystemClock::default);

/// Looks again and again until there is something to see; panics after `bound`.
pub(crate) async fn until<T>(what: &str, bound: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let seen = tokio::time::timeout(bound, looking).await;
    seen.unwrap_or_else(|_| panic!("waited {} s in vain: {what}", bound.as_secs()))
}

/// Lets time pass where the time is what the test is about: the moment of a kill, the pace of a slow client.
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Real time since an arbitrary point.
pub(crate) fn elapsed() -> Duration {
    CLOCK.monotonic()
}

/// Something for the reader of the test's output; never decides anything.
#[expect(clippy::print_stderr, reason = "figures for a person, shown with the test's output")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}
