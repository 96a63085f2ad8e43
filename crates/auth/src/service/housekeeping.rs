//! What is done now and then, without a request.

use sme_pulse_persistence::{StoreError, retrying};

use super::AuthService;

impl AuthService {
    /// Removes rows that have had their time: sessions, links for new passwords, half log-ins, counters of guesses, kept
    /// answers. To be called every hour or so; how many rows that were.
    pub async fn remove_expired(&self) -> Result<u64, StoreError> {
        let now = self.parts.clock.now();
        retrying(|| self.parts.store.remove_expired(now)).await
    }
}
