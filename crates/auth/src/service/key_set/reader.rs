//! Follows the keys in the database: reads them when there is news, now and then, and when a token names one that is not known.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use sme_pulse_domain::signing_key::{KeyRecord, KeyState};
use sme_pulse_persistence::{ChangeFeed, Engine};

use super::{
    KeySet, KeySetError,
    in_use::{InUse, Setting},
    steps::Step,
};
use crate::{
    service::{TokenKeys, errands::chain, news::News},
    token::{KeyRing, VerifyingKey},
};

/// How often it is looked whether news arrive at all. A SQLite file has to be looked at; and while nobody tells of changes, the
/// keys are read this often.
const LOOK: Duration = Duration::from_millis(250);
/// After so many looks it is seen to what time asks for: half a minute.
const LOOKS: u32 = 120;
/// A commit within one tick of the file system's clock may not be seen in a SQLite file, so there the keys are read after so
/// many looks, whatever they show; from PostgreSQL with what time asks for.
const LOOKS_AT_FILE: u32 = 3;
/// On a SQLite file every commit is news; the keys are not read more often than this.
const PAUSE: Duration = Duration::from_millis(50);
/// How long after a read for a token of an unknown key the next such token causes another one.
const COOL_DOWN: Duration = Duration::from_secs(1);

/// Keeps what signs and checks the tokens of this process as the database says.
pub(in crate::service) struct KeyReader {
    set: KeySet,
    setting: Setting,
    rotation: Option<TimeDelta>,
    tokens: TokenKeys,
    /// The rows that are in use; none before the first reading.
    known: Mutex<Option<Vec<KeyRecord>>>,
    ready: AtomicBool,
    /// One reads at a time, so that nobody puts older rows over newer ones. When it was last done for an unknown key.
    reading: tokio::sync::Mutex<Option<Duration>>,
    unknown_reads: AtomicU64,
    /// Whether the set is to be made as the setting asks, and whether it is.
    wanted: AtomicBool,
    settled: AtomicBool,
}

impl KeyReader {
    pub(in crate::service) fn new(
        set: KeySet,
        (setting, rotation): (Setting, Option<TimeDelta>),
        tokens: TokenKeys,
    ) -> Self {
        Self {
            set,
            setting,
            rotation,
            tokens,
            known: Mutex::default(),
            ready: AtomicBool::new(false),
            reading: tokio::sync::Mutex::default(),
            unknown_reads: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
            settled: AtomicBool::new(false),
        }
    }

    pub(super) const fn set(&self) -> &KeySet {
        &self.set
    }

    pub(super) fn unknown_reads(&self) -> u64 {
        self.unknown_reads.load(Ordering::Relaxed)
    }

    /// Reads the keys.
    pub(super) async fn load(&self) -> Result<(), KeySetError> {
        let _one_at_a_time = self.reading.lock().await;
        self.read().await
    }

    /// Reads the keys unless that has been done.
    pub(in crate::service) async fn ready(&self) -> Result<(), KeySetError> {
        if self.is_ready() { Ok(()) } else { self.load().await }
    }

    /// Reads the keys for a token that names one which is not known, unless that was just done: for any number of such tokens at
    /// most once a second, and those that come meanwhile wait for it.
    pub(in crate::service) async fn look_for_unknown(&self) -> Result<(), KeySetError> {
        let mut last = self.reading.lock().await;
        let now = self.set.clock.monotonic();
        if last.is_some_and(|last| now.saturating_sub(last) < COOL_DOWN) {
            return Ok(());
        }
        *last = Some(now);
        self.unknown_reads.fetch_add(1, Ordering::Relaxed);
        self.read().await
    }

    /// The public keys of the set that count now.
    pub(super) async fn published(&self) -> Result<String, KeySetError> {
        self.ready().await?;
        let now = self.set.clock.now().timestamp();
        let ring = self.tokens.verifier().keys();
        let count = |key: &&VerifyingKey| key.counts_at(now);
        Ok(KeyRing::new(ring.iter().filter(count).cloned()).map_err(|_| KeySetError::NotMade)?.to_jwks())
    }

    /// Brings the set to what the setting asks for, and reads it.
    pub(super) async fn prepare(&self) -> Result<(), KeySetError> {
        self.wanted.store(true, Ordering::Relaxed);
        self.settle().await?;
        self.load().await
    }

    /// Does what time asks for.
    pub(super) async fn maintain(&self) -> Result<(), KeySetError> {
        self.load().await?;
        let settled = self.settled.load(Ordering::Relaxed) && !self.has_gap();
        if self.wanted.load(Ordering::Relaxed) && !settled {
            self.settle().await?;
            self.load().await?;
        }
        if let Some(age) = self.rotation.filter(|age| self.is_older(*age)) {
            self.set.change(Step::Rotate { at_once: false, if_older: Some(age) }).await?;
            self.load().await?;
        }
        Ok(())
    }

    /// Runs until it is aborted.
    pub(in crate::service) async fn follow(self: Arc<Self>, feed: Arc<ChangeFeed>, news: Arc<News>) {
        let mut told = news.keys.subscribe();
        let (mut looks, mut failing) = (0_u32, false);
        loop {
            let changed = tokio::select! {
                told = told.changed() => match told { Ok(()) => true, Err(_gone) => return },
                () = tokio::time::sleep(LOOK) => false,
            };
            looks = looks.saturating_add(1);
            // Looking at a file may bring news, which are heard in the next round.
            let deaf = !feed.is_current();
            let due = looks >= LOOKS;
            let old = self.set.store.engine() == Engine::Sqlite && looks.is_multiple_of(LOOKS_AT_FILE);
            if !changed && !deaf && !due && !old && self.is_ready() {
                continue;
            }
            let done = if due || !self.is_ready() { self.maintain().await } else { self.load().await };
            if due {
                looks = 0;
            }
            // One line for each time that it begins.
            match done {
                Ok(()) => failing = false,
                Err(error) if !std::mem::replace(&mut failing, true) => {
                    tracing::warn!(error = chain(&error), "The signing keys were not read");
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn settle(&self) -> Result<(), KeySetError> {
        let step = match self.setting.algorithm {
            Some(algorithm) => Step::UseKeys(algorithm),
            None => match &self.setting.secret {
                Some(secret) => Step::UseSecret(secret.algorithm()),
                None => return Ok(()),
            },
        };
        let settled = self.set.change(step).await?.settled;
        self.settled.store(settled, Ordering::Relaxed);
        Ok(())
    }

    /// The caller holds the lock.
    async fn read(&self) -> Result<(), KeySetError> {
        if self.setting.is_fixed() {
            self.ready.store(true, Ordering::Release);
            return Ok(());
        }
        let mut rows = self.set.store.signing_keys().await?;
        let now = self.set.clock.now();
        rows.retain(|row| row.is_shared_secret() || row.verifies_at(now));
        if self.known().as_ref() == Some(&rows) {
            return Ok(());
        }
        let InUse { signer, ring, not_ours } = InUse::of(&rows, (&self.setting, &self.set.cipher), now)?;
        for kid in not_ours {
            tracing::error!(kid, "A signing key in the database was not made with this installation's secret");
        }
        if self.setting.algorithm.is_none() && ring.find(None).is_none() {
            tracing::warn!("The shared secret was revoked: tokens are signed with the key set");
        }
        // What counts no more is refused also when nothing here can sign.
        self.tokens.verifier().replace_keys(ring.clone());
        self.tokens.replace(signer?, ring);
        *self.known() = Some(rows);
        self.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether the keys have been read.
    pub(in crate::service) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Whether a key is missing that the setting asks for.
    fn has_gap(&self) -> bool {
        let known = self.known();
        let lacks = |state| !known.iter().flatten().any(|key| key.state == state && !key.is_shared_secret());
        // Somebody who was told to sign with the secret has started since, and may be gone by now.
        let secret = known.iter().flatten().any(|key| key.is_shared_secret() && key.state == KeyState::Current);
        self.setting.algorithm.is_some() && (lacks(KeyState::Current) || lacks(KeyState::Next) || secret)
    }

    fn is_older(&self, age: TimeDelta) -> bool {
        let now = self.set.clock.now();
        let current = |key: &&KeyRecord| key.state == KeyState::Current && !key.is_shared_secret();
        let known = self.known();
        let old = |key: &KeyRecord| now.signed_duration_since(key.since()) >= age;
        self.setting.algorithm.is_some() && known.iter().flatten().find(current).is_some_and(old)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Vec<KeyRecord>>> {
        // No code that can panic runs under the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
