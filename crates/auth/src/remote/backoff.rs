//! How long to wait after failures: twice as long after each, never more than a bound, and not all at the same moment.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// Waiting times that grow.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
    state: u64,
}

impl Backoff {
    /// `seed` decides where between half and the whole of each waiting time the next try is made.
    pub(super) const fn new(first: Duration, most: Duration, seed: u64) -> Self {
        Self { first, most, failures: 0, state: seed }
    }

    /// A seed that differs between processes and calls. Nothing secret depends on it.
    pub(super) fn seed() -> u64 {
        RandomState::new().hash_one(0)
    }

    /// It worked.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// It failed: how long to wait.
    pub(super) fn failed(&mut self) -> Duration {
        let whole = self.first.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        let half = whole.checked_div(2).unwrap_or_default();
        let part = u32::try_from(self.random() >> 48).unwrap_or(0); // 16 bits
        half.saturating_add(half.saturating_mul(part).checked_div(1 << 16).unwrap_or_default())
    }

    /// `SplitMix64` (Steele, Lea and Flood 2014).
    const fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_waits_longer_up_to_a_bound_and_success_begins_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(1), 7);
        for most in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let wait = backoff.failed();
            let whole = Duration::from_secs(most);
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
        }
        for _ in 0..100 {
            assert!(backoff.failed() <= Duration::from_mins(1));
        }
        backoff.reset();
        assert!(backoff.failed() <= Duration::from_secs(1));
    }

    #[test]
    fn two_services_do_not_come_at_the_same_moment() {
        let mut waits = [1, 2].map(|seed| Backoff::new(Duration::from_secs(1), Duration::from_mins(1), seed));
        let [one, other] = &mut waits;
        assert_ne!(one.failed(), other.failed());
    }
}
