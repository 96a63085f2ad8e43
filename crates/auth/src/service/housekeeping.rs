//! What is done now and then, without a request.

use chrono::TimeDelta;
use sme_pulse_persistence::{StoreError, retrying};

use super::AuthService;

/// A counter of guesses begins anew after a day, so there is nothing to learn from an older one.
const KEEP_GUESSES: TimeDelta = TimeDelta::days(2);

impl AuthService {
    /// Removes rows that have had their time: sessions, links for new passwords, kept answers, counters of guesses. To be called every
    /// hour or so; how many rows that were.
    pub async fn remove_expired(&self) -> Result<u64, StoreError> {
        let now = self.parts.clock.now();
        let store = &self.parts.store;
        let expired = retrying(|| store.remove_expired(now)).await?;
        let untouched_since = now.checked_sub_signed(KEEP_GUESSES).unwrap_or(now);
        let guesses = retrying(|| store.remove_stale_guesses(untouched_since)).await?;
        Ok(expired.saturating_add(guesses))
    }
}
