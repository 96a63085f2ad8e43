//! What can be done to the keys of an installation.

use chrono::TimeDelta;
use sme_pulse_domain::{
    audit::Action,
    signing_key::{KeyRecord, KeyState},
};

use super::{Bench, ChangedKeys, KeySetError};
use crate::token::Algorithm;

/// Retired keys that may verify at the same time. A key set has to stay within what verifiers read
/// ([`MAX_KEYS`](crate::token::MAX_KEYS)).
const RETIRED_AT_MOST: usize = 200;

/// One change.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    /// Makes ready to sign with the shared secret.
    UseSecret(Algorithm),
    /// Makes ready to sign with keys of this algorithm.
    UseKeys(Algorithm),
    Generate(Algorithm),
    /// With an age, only if the key that signs has signed for so long.
    Rotate {
        at_once: bool,
        if_older: Option<TimeDelta>,
    },
    Retire(&'a str),
    /// With `lost`, also when the keys that are left do not open.
    Revoke {
        kid: &'a str,
        lost: bool,
    },
}

impl Bench<'_> {
    pub(super) async fn run(&mut self, step: Step<'_>) -> Result<ChangedKeys, KeySetError> {
        match step {
            Step::UseSecret(algorithm) => self.use_secret(algorithm).await,
            Step::UseKeys(algorithm) => self.use_keys(algorithm).await,
            Step::Generate(algorithm) => self.generate(algorithm).await,
            Step::Rotate { at_once, if_older } => self.rotate(at_once, if_older).await,
            Step::Retire(kid) => self.retire(kid).await,
            Step::Revoke { kid, lost } => self.revoke(kid, lost).await,
        }
    }

    async fn generate(&mut self, algorithm: Algorithm) -> Result<ChangedKeys, KeySetError> {
        if algorithm.is_symmetric() {
            return Err(KeySetError::WrongKind);
        }
        self.require_all_open()?;
        if let Some(next) = self.next() {
            if next.algorithm == algorithm.name() {
                return Err(KeySetError::NextExists(next.kid));
            }
            self.remove(&next.kid).await?;
        }
        self.make(algorithm.name(), KeyState::Next).await?;
        let next = self.next();
        Ok(self.changed(next, true))
    }

    async fn rotate(&mut self, at_once: bool, if_older: Option<TimeDelta>) -> Result<ChangedKeys, KeySetError> {
        let current = self.current().ok_or(KeySetError::NoCurrent)?;
        if if_older.is_some_and(|age| self.now.signed_duration_since(current.since()) < age) {
            return Ok(self.changed(None, true));
        }
        let seconds = self.next().ok_or(KeySetError::NoNext)?.unripe_seconds(self.now);
        if seconds > 0 && !at_once {
            return Err(KeySetError::TooYoung { seconds });
        }
        self.require_all_open()?;
        self.renew().await?;
        // As they are protected now: what is saved is the whole row.
        let current = self.current().ok_or(KeySetError::NoCurrent)?;
        let next = self.next().ok_or(KeySetError::NoNext)?;
        let retired = self.replace(current, next).await?;
        Ok(self.changed(Some(retired), true))
    }

    /// Lets the next key sign in place of the current one, which verifies on, and makes another next one of the same algorithm.
    pub(super) async fn replace(&mut self, mut current: KeyRecord, next: KeyRecord) -> Result<KeyRecord, KeySetError> {
        let verifying = |key: &&KeyRecord| key.state == KeyState::Retired && key.verifies_at(self.now);
        if self.rows.iter().filter(verifying).count() >= RETIRED_AT_MOST {
            return Err(KeySetError::TooMany);
        }
        let algorithm = next.algorithm.clone();
        current.retire(self.now);
        self.save(current.clone()).await?;
        self.promote(next, Some(&current.kid)).await?;
        self.make(&algorithm, KeyState::Next).await?;
        Ok(current)
    }

    async fn retire(&mut self, kid: &str) -> Result<ChangedKeys, KeySetError> {
        let mut key = self.find(kid)?;
        self.require_all_open()?;
        match key.state {
            KeyState::Retired | KeyState::Revoked => {
                return Err(KeySetError::Over { kid: key.kid, state: key.state });
            }
            // While servers sign with the shared secret, nothing is signed with the set.
            KeyState::Current if key.is_shared_secret() || !self.signs_with_secret() => {
                return Err(KeySetError::Signs(key.kid));
            }
            KeyState::Current | KeyState::Next => {}
        }
        let waited = key.state == KeyState::Next;
        key.retire(self.now);
        self.save(key.clone()).await?;
        self.tell(Action::KeyRetired, &key, &[]);
        if waited && self.current().is_some() {
            self.make(&key.algorithm, KeyState::Next).await?;
        }
        Ok(self.changed(Some(key), true))
    }

    async fn revoke(&mut self, kid: &str, lost: bool) -> Result<ChangedKeys, KeySetError> {
        let mut key = self.find(kid)?;
        if !lost {
            self.require_all_open()?;
        }
        if key.state == KeyState::Revoked {
            return Err(KeySetError::Over { kid: key.kid, state: key.state });
        }
        if key.is_shared_secret() && self.current().is_none_or(|current| !self.opens(&current)) {
            return Err(KeySetError::Last);
        }
        let before = key.state;
        key.revoke(self.now);
        self.save(key.clone()).await?;
        self.tell_revoked(&key);
        if !key.is_shared_secret() {
            self.fill_the_gap(&key, before).await?;
        }
        Ok(self.changed(Some(key), true))
    }

    /// Somebody signs and somebody waits again. A next key that does not open is no use to anybody.
    async fn fill_the_gap(&mut self, revoked: &KeyRecord, before: KeyState) -> Result<(), KeySetError> {
        if before == KeyState::Current {
            match self.next() {
                Some(next) if self.opens(&next) => self.promote(next, Some(&revoked.kid)).await?,
                unusable => {
                    if let Some(next) = unusable {
                        self.remove(&next.kid).await?;
                    }
                    self.make(&revoked.algorithm, KeyState::Current).await?;
                }
            }
        }
        match self.current() {
            Some(current) if self.next().is_none() => self.make(&current.algorithm, KeyState::Next).await,
            _ => Ok(()),
        }
    }

    /// Whether servers say that they sign with the shared secret.
    fn signs_with_secret(&self) -> bool {
        self.shared_secret().is_some_and(|secret| secret.state == KeyState::Current)
    }
}
