//! What a server asks of the keys when it starts with an algorithm: once done by one replica, the others find it done.

use sme_pulse_domain::signing_key::{KeyRecord, KeyState};

use super::{Bench, ChangedKeys, KeySetError};
use crate::token::Algorithm;

impl Bench<'_> {
    /// The row of the shared secret says since when it signs, and with which algorithm, for the day on which a key set takes its
    /// place. A revoked one stays revoked.
    pub(super) async fn use_secret(&mut self, algorithm: Algorithm) -> Result<ChangedKeys, KeySetError> {
        match self.shared_secret() {
            None => self.add(KeyRecord::shared_secret(algorithm.name(), self.now)).await?,
            Some(mut secret) => {
                let known = secret.state == KeyState::Current && secret.algorithm == algorithm.name();
                if !known && secret.state != KeyState::Revoked {
                    algorithm.name().clone_into(&mut secret.algorithm);
                    secret.activate(self.now);
                    self.save(secret).await?;
                }
            }
        }
        Ok(self.changed(None, true))
    }

    /// A key of this algorithm signs and another waits, as soon as every verifier can know the one that signs. Where there was
    /// no key at all, nobody can have kept a set without it for long, and it signs at once.
    pub(super) async fn use_keys(&mut self, algorithm: Algorithm) -> Result<ChangedKeys, KeySetError> {
        if self.next().is_some_and(|next| next.algorithm != algorithm.name() && !self.is_settled(algorithm)) {
            self.drop_next().await?;
        }
        let settled = match (self.current(), self.next()) {
            (Some(current), _) if current.algorithm == algorithm.name() => {
                self.require_open(&current)?;
                true
            }
            (Some(_), None) => {
                self.make(algorithm.name(), KeyState::Next).await?;
                false
            }
            (Some(current), Some(next)) => {
                let ripe = next.unripe_seconds(self.now) == 0;
                if ripe {
                    self.replace(current, next).await?;
                }
                ripe
            }
            (None, None) => {
                self.make(algorithm.name(), KeyState::Current).await?;
                true
            }
            (None, Some(next)) => {
                let ripe = next.unripe_seconds(self.now) == 0 || !self.secret_counts();
                if ripe {
                    self.promote(next, None).await?;
                }
                ripe
            }
        };
        if let Some(current) = self.current() {
            if self.next().is_none() {
                self.make(&current.algorithm, KeyState::Next).await?;
            }
            self.retire_secret().await?;
        }
        Ok(self.changed(None, settled))
    }

    fn is_settled(&self, algorithm: Algorithm) -> bool {
        self.current().is_some_and(|current| current.algorithm == algorithm.name())
    }

    async fn drop_next(&mut self) -> Result<(), KeySetError> {
        match self.next() {
            Some(next) => self.remove(&next.kid).await,
            None => Ok(()),
        }
    }

    /// Tokens of the shared secret are good until the last of them has expired. Servers of the time before keys had rows may have
    /// signed with it without a word; that was HS256 unless somebody chose otherwise.
    async fn retire_secret(&mut self) -> Result<(), KeySetError> {
        let (mut secret, known) = match self.shared_secret() {
            Some(secret) => (secret, true),
            None => (KeyRecord::shared_secret(Algorithm::Hs256.name(), self.now), false),
        };
        if secret.state == KeyState::Current {
            secret.retire(self.now);
            if known { self.save(secret).await? } else { self.add(secret).await? }
        }
        Ok(())
    }
}
