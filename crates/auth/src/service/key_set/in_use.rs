//! What signs and what checks, as it follows from the rows and from what the process was told to sign with.

use chrono::{DateTime, Utc};
use sme_pulse_domain::signing_key::{KeyRecord, KeyState};

use super::{KeyCipher, KeySetError};
use crate::token::{Algorithm, KeyRing, Signer, SigningKey, VerifyingKey};

/// What the process was told.
pub(in crate::service) struct Setting {
    /// The algorithm of the key set; `None` to sign with the shared secret.
    pub(in crate::service) algorithm: Option<Algorithm>,
    /// Signs with the shared secret.
    pub(in crate::service) secret_signer: Signer,
    /// Checks what is signed with it. Without one, and without an algorithm, the keys are the importing service's own, and stay
    /// as they are.
    pub(in crate::service) secret: Option<VerifyingKey>,
}

/// What signs and what checks.
pub(super) struct InUse {
    /// An error where keys of the set count and none of them can sign here.
    pub(super) signer: Result<Signer, KeySetError>,
    pub(super) ring: KeyRing,
    /// Names of rows that count for nothing because their MAC is not ours.
    pub(super) not_ours: Vec<String>,
}

impl InUse {
    /// What verifies is the same whatever the process signs with: every key of the set that has not had its time, and the
    /// shared secret while it counts.
    pub(super) fn of(
        rows: &[KeyRecord],
        (setting, cipher): (&Setting, &KeyCipher),
        now: DateTime<Utc>,
    ) -> Result<Self, KeySetError> {
        let (mut keys, mut not_ours) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| !row.is_shared_secret() && row.verifies_at(now)) {
            match cipher.public(row) {
                Some(key) => keys.push(until(key, row)),
                None => not_ours.push(row.kid.clone()),
            }
        }
        let current = rows.iter().find(|row| row.state == KeyState::Current && !row.is_shared_secret());
        let secret = setting.secret(rows, current.is_some(), now);
        let signer = setting.signer(current, secret.as_ref(), cipher);
        keys.extend(secret);
        let ring = KeyRing::new(keys).map_err(|_| KeySetError::NotMade)?;
        Ok(Self { signer, ring, not_ours })
    }
}

impl Setting {
    /// Whether the database says nothing about what signs and checks.
    pub(super) const fn is_fixed(&self) -> bool {
        self.algorithm.is_none() && self.secret.is_none()
    }

    /// The shared secret, if its tokens count: without end for who signs with it and while no key of the set signs, else until the
    /// row says.
    fn secret(&self, rows: &[KeyRecord], set_signs: bool, now: DateTime<Utc>) -> Option<VerifyingKey> {
        match (self.algorithm, rows.iter().find(|row| row.is_shared_secret())) {
            (_, Some(row)) if row.state == KeyState::Revoked => None,
            (None, _) => self.secret.clone(),
            (Some(_), None) => self.secret.clone().filter(|_| !set_signs),
            (Some(_), Some(row)) => {
                let algorithm = Algorithm::named(&row.algorithm).unwrap_or(Algorithm::Hs256);
                let secret = self.secret.clone().filter(|_| row.verifies_at(now))?;
                Some(until(secret.used_with(algorithm), row))
            }
        }
    }

    /// Who was told to sign with a secret that has been revoked since signs with the set.
    fn signer(
        &self,
        current: Option<&KeyRecord>,
        secret: Option<&VerifyingKey>,
        cipher: &KeyCipher,
    ) -> Result<Signer, KeySetError> {
        match (current, secret) {
            (Some(current), _) if self.algorithm.is_some() || secret.is_none() => {
                let key: SigningKey = cipher.private(current)?;
                Ok(Signer::with_key(&key, self.secret_signer.issuer(), self.secret_signer.audience()))
            }
            (_, Some(secret)) => Ok(self.secret_signer.clone().used_with(secret.algorithm())),
            (_, None) => Err(KeySetError::NothingSigns),
        }
    }
}

fn until(key: VerifyingKey, row: &KeyRecord) -> VerifyingKey {
    match row.verify_until {
        Some(end) => key.until(end.timestamp()),
        None => key,
    }
}
