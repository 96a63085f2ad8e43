//! Where keys are changed: all rows as they are while nobody else changes any, and what has to be told of when it is done.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    rng::Rng,
    signing_key::{KeyRecord, KeyState, SHARED_SECRET},
};
use sme_pulse_persistence::{SigningKeys, StoreError};

use super::{ChangedKeys, KeyCipher, KeySetError};
use crate::token::{Algorithm, SigningKey};

pub(super) struct Bench<'a> {
    table: SigningKeys<'a>,
    pub(super) rows: Vec<KeyRecord>,
    pub(super) now: DateTime<Utc>,
    cipher: &'a KeyCipher,
    rng: &'a dyn Rng,
    events: Vec<AuditEvent>,
    revoked: Option<String>,
}

impl<'a> Bench<'a> {
    pub(super) async fn open(
        table: SigningKeys<'a>,
        (cipher, rng): (&'a KeyCipher, &'a dyn Rng),
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let rows = table.all().await?;
        Ok(Self { table, rows, now, cipher, rng, events: Vec::new(), revoked: None })
    }

    /// What to record, and the key to be told of as revoked.
    pub(super) fn close(self) -> (Vec<AuditEvent>, Option<String>) {
        (self.events, self.revoked)
    }

    /// The key of the set that signs.
    pub(super) fn current(&self) -> Option<KeyRecord> {
        self.rows.iter().find(|key| key.state == KeyState::Current && !key.is_shared_secret()).cloned()
    }

    /// The key that will sign after it.
    pub(super) fn next(&self) -> Option<KeyRecord> {
        self.rows.iter().find(|key| key.state == KeyState::Next).cloned()
    }

    /// The row of the shared secret.
    pub(super) fn shared_secret(&self) -> Option<KeyRecord> {
        self.rows.iter().find(|key| key.is_shared_secret()).cloned()
    }

    /// Whether this key signs, or could when its turn comes.
    pub(super) fn opens(&self, key: &KeyRecord) -> bool {
        self.cipher.private(key).is_ok()
    }

    /// Whoever makes a key with another secret than the servers have would make one that they cannot use.
    pub(super) fn require_all_open(&self) -> Result<(), KeySetError> {
        let in_use = self.current().into_iter().chain(self.next());
        in_use.into_iter().try_for_each(|key| self.require_open(&key))
    }

    pub(super) fn require_open(&self, key: &KeyRecord) -> Result<(), KeySetError> {
        self.cipher.private(key).map(|_| ())
    }

    /// Makes a key; it is published from now on, and signs at once if it is to be the current one.
    pub(super) async fn make(&mut self, algorithm: &str, state: KeyState) -> Result<(), KeySetError> {
        let algorithm =
            Algorithm::named(algorithm).filter(|named| !named.is_symmetric()).ok_or(KeySetError::WrongKind)?;
        let key = SigningKey::generate(algorithm, self.rng).map_err(|_| KeySetError::NotMade)?;
        let mut record = KeyRecord::next(key.id().to_string(), algorithm.name().to_owned(), self.now);
        self.cipher.protect(&key, &mut record, self.rng)?;
        if state == KeyState::Current {
            record.activate(self.now);
        }
        self.tell(Action::KeyGenerated, &record, &[]);
        self.add(record).await
    }

    /// Lets a key that waits sign; whoever signed before has given way by now.
    pub(super) async fn promote(&mut self, mut next: KeyRecord, previous: Option<&str>) -> Result<(), KeySetError> {
        self.require_open(&next)?;
        next.activate(self.now);
        let former = previous.map(|kid| ("previous", kid));
        self.tell(Action::KeyRotated, &next, former.as_slice());
        self.save(next).await
    }

    pub(super) async fn add(&mut self, key: KeyRecord) -> Result<(), KeySetError> {
        self.table.add(&key).await?;
        self.rows.push(key);
        Ok(())
    }

    pub(super) async fn save(&mut self, key: KeyRecord) -> Result<(), KeySetError> {
        self.table.save(&key).await?;
        if let Some(row) = self.rows.iter_mut().find(|row| row.kid == key.kid) {
            *row = key;
        }
        Ok(())
    }

    /// Takes a key away that has never signed.
    pub(super) async fn remove(&mut self, kid: &str) -> Result<(), KeySetError> {
        self.table.remove(kid).await?;
        self.rows.retain(|row| row.kid != kid);
        Ok(())
    }

    /// Protects every row with today's secrets that was protected with earlier ones.
    pub(super) async fn renew(&mut self) -> Result<(), KeySetError> {
        let renewed: Vec<_> = self.rows.iter().filter_map(|row| self.cipher.renewed(row, self.rng)).collect();
        for row in renewed {
            self.save(row).await?;
        }
        Ok(())
    }

    pub(super) fn tell_revoked(&mut self, key: &KeyRecord) {
        self.tell(Action::KeyRevoked, key, &[]);
        self.revoked = Some(key.kid.clone());
    }

    pub(super) fn tell(&mut self, action: Action, key: &KeyRecord, more: &[(&str, &str)]) {
        let mut event = AuditEvent::new(action, None, Origin::default());
        event.entity = Some("signing_keys");
        let known = [("kid", key.kid.as_str()), ("algorithm", key.algorithm.as_str())];
        let fields = known.iter().chain(more).map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        event.after = Some(fields.collect::<Details>());
        self.events.push(event);
    }

    pub(super) fn find(&self, kid: &str) -> Result<KeyRecord, KeySetError> {
        let found = self.rows.iter().find(|row| row.kid == kid).cloned();
        found.ok_or_else(|| KeySetError::Unknown(kid.to_owned()))
    }

    /// Whether tokens of the shared secret are accepted by those who sign with a key of the set.
    pub(super) fn secret_counts(&self) -> bool {
        let row = self.rows.iter().find(|row| row.kid == SHARED_SECRET);
        row.is_none_or(|row| row.verifies_at(self.now))
    }

    pub(super) fn changed(&self, key: Option<KeyRecord>, settled: bool) -> ChangedKeys {
        ChangedKeys { key, current: self.current(), next: self.next(), settled }
    }
}
