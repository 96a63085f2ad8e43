//! What is done now and then, without a request.

use sme_pulse_persistence::{Chore, StoreError, retrying};

use super::AuthService;

impl AuthService {
    /// Removes rows that have had their time: sessions, links for new passwords, half log-ins, counters of guesses, kept
    /// answers, signing keys, revocations that no token is old enough for. To be called every hour or so; how many rows that
    /// were, and `None` when another replica is doing it.
    pub async fn remove_expired(&self) -> Result<Option<u64>, StoreError> {
        self.parts.store.alone(Chore::RemoveExpired, async || self.remove_expired_rows().await).await
    }

    async fn remove_expired_rows(&self) -> Result<u64, StoreError> {
        let now = self.parts.clock.now();
        let keys = retrying(|| self.parts.store.remove_dead_keys(now)).await?;
        let expired = retrying(|| self.parts.store.remove_expired(now)).await?;
        let before = self.revocations.rows_stay_since();
        let revocations = retrying(|| self.parts.store.remove_old_revocations(before)).await?;
        Ok(keys.saturating_add(expired).saturating_add(revocations))
    }
}
