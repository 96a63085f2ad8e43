//! The keys that access tokens are signed with: kept sealed in the database, so that all replicas have the same, changed by
//! commands and by time, and followed by every process while it runs. `docs/adr/0019-key-sets.md` says why.

mod bench;
mod cipher;
mod error;
mod in_use;
mod reader;
mod settle;
mod steps;

use std::{collections::BTreeSet, sync::Arc};

use sme_pulse_domain::{
    audit::{Action, AuditEvent},
    clock::Clock,
    rng::Rng,
    signing_key::KeyRecord,
};
use sme_pulse_persistence::{Store, StoreError, retrying};

use super::{AuthService, ServiceKeys};
use crate::token::Algorithm;
use bench::Bench;
use cipher::KeyCipher;
pub use error::KeySetError;
pub(super) use in_use::Setting;
pub(super) use reader::KeyReader;
use steps::Step;

/// What changes the keys of an installation; for its commands, and for the service itself. Changes are one transaction each, in
/// which nobody else changes any key, and in the audit trail outside any organization.
pub struct KeySet {
    store: Store,
    cipher: KeyCipher,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// What a change has left.
#[derive(Clone)]
pub struct ChangedKeys {
    /// The key that was asked about; after a rotation the one that has signed until now.
    pub key: Option<KeyRecord>,
    /// The key of the set that signs.
    pub current: Option<KeyRecord>,
    /// The key that will sign after it.
    pub next: Option<KeyRecord>,
    /// Whether all is as it was asked for; `false` while a key waits until every verifier can know it.
    settled: bool,
}

impl KeySet {
    /// The keys in a database, sealed with what is derived from these secrets.
    pub fn new(store: Store, keys: &ServiceKeys, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { store, cipher: KeyCipher::new(keys), clock, rng }
    }

    /// All keys, oldest first, with those that count no longer until housekeeping has removed them.
    pub async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.store.signing_keys().await
    }

    /// The keys in use whose private half does not open with these secrets.
    pub async fn closed(&self) -> Result<Vec<String>, StoreError> {
        let closed = |key: &KeyRecord| key.sealed.is_some() && self.cipher.private(key).is_err();
        Ok(self.list().await?.into_iter().filter(closed).map(|key| key.kid).collect())
    }

    /// Makes and publishes the key that will sign next. One that waits already gives way if it has another algorithm.
    pub async fn generate(&self, algorithm: Algorithm) -> Result<ChangedKeys, KeySetError> {
        self.change(Step::Generate(algorithm)).await
    }

    /// Lets the next key sign, retires the one that has signed, and publishes another next one. Refuses a next key that has been
    /// published for less time than verifiers may keep the set, unless `at_once`.
    pub async fn rotate(&self, at_once: bool) -> Result<ChangedKeys, KeySetError> {
        self.change(Step::Rotate { at_once, if_older: None }).await
    }

    /// Withdraws a key that does not sign: a next one is followed by another, one that has signed verifies until its last token
    /// has expired.
    pub async fn retire(&self, kid: &str) -> Result<ChangedKeys, KeySetError> {
        self.change(Step::Retire(kid)).await
    }

    /// Ends a key at once: its tokens are refused from the commit on, by this process with the next request and by others as soon as
    /// they hear of it. When it signs, the next key signs in its place, however short a time it has been published.
    pub async fn revoke(&self, kid: &str) -> Result<ChangedKeys, KeySetError> {
        self.change(Step::Revoke { kid, lost: false }).await
    }

    /// The same where the secret is lost that the keys are sealed with: in place of those that do not open, new ones are made.
    pub async fn revoke_lost(&self, kid: &str) -> Result<ChangedKeys, KeySetError> {
        self.change(Step::Revoke { kid, lost: true }).await
    }

    async fn change(&self, step: Step<'_>) -> Result<ChangedKeys, KeySetError> {
        retrying(|| async {
            let now = self.clock.now();
            let tx = self.store.begin_system().await?;
            let mut bench = Bench::open(tx.signing_keys(now).await?, (&self.cipher, &*self.rng), now).await?;
            let done = bench.run(step).await?;
            let (events, revoked) = bench.close();
            for event in &events {
                tx.record(event.clone(), now).await?;
            }
            if let Some(kid) = revoked {
                tx.note_key_revoked(&kid).await?;
            }
            tx.commit().await?;
            events.iter().for_each(log);
            Ok(done)
        })
        .await
    }
}

/// One line for each event.
fn log(event: &AuditEvent) {
    let kid = event.after.iter().find_map(|after| after.get("kid")?.as_deref()).unwrap_or_default();
    match event.action {
        Action::KeyGenerated => tracing::info!(kid, "Signing key generated"),
        Action::KeyRotated => tracing::info!(kid, "Tokens are signed with another key"),
        Action::KeyRetired => tracing::info!(kid, "Signing key retired"),
        _ => tracing::warn!(kid, "Signing key revoked"),
    }
}

impl AuthService {
    /// Makes ready what signs and checks tokens: the first keys of a set, when the settings ask for one and there is none; and
    /// reads them. To be called before requests are served; while the database cannot be reached the service tries again by
    /// itself.
    pub async fn prepare_keys(&self) -> Result<(), KeySetError> {
        self.key_reader.prepare().await
    }

    /// What changes the keys of tokens. This process follows what is done with it as fast as any other does; call
    /// [`reload_keys`](Self::reload_keys) afterwards to have it done with the next request.
    pub fn key_set(&self) -> &KeySet {
        self.key_reader.set()
    }

    /// Reads the keys of tokens now.
    pub async fn reload_keys(&self) -> Result<(), KeySetError> {
        self.key_reader.load().await
    }

    /// Does what time asks for: the rotation that is due, the change to another algorithm once its first key is known to all. The
    /// service does so every half minute by itself.
    pub async fn maintain_keys(&self) -> Result<(), KeySetError> {
        self.key_reader.maintain().await
    }

    /// The public keys as a key set (RFC 7517), as they count now.
    pub async fn published_keys(&self) -> Result<String, KeySetError> {
        self.key_reader.published().await
    }

    /// The names of what tokens that are good now may be signed with, without repetition.
    pub fn token_algorithms(&self) -> Vec<&'static str> {
        let (ring, now) = (self.parts.tokens.verifier().keys(), self.parts.clock.now().timestamp());
        let names: BTreeSet<_> =
            ring.iter().filter(|key| key.counts_at(now)).map(|key| key.algorithm().name()).collect();
        names.into_iter().collect()
    }

    /// How often a token of an unknown key has made this service read its keys anew.
    pub fn unknown_key_reads(&self) -> u64 {
        self.key_reader.unknown_reads()
    }
}
