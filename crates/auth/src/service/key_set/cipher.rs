//! Keys at rest: the private half sealed for its name, the public half under a MAC, so that who can write to the database can
//! add no key of their own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sme_pulse_domain::{rng::Rng, signing_key::KeyRecord};
use zeroize::Zeroizing;

use super::KeySetError;
use crate::{
    service::{
        keys::{MacKey, Purpose, ServiceKeys},
        sealer::Sealer,
    },
    token::{Algorithm, KeyId, SEED_BYTES, SigningKey, VerifyingKey},
};

pub(super) struct KeyCipher {
    sealer: Sealer,
    mac: MacKey,
    /// Of rows from before the installation had a key for what is at rest.
    former_mac: Option<MacKey>,
}

impl KeyCipher {
    pub(super) fn new(keys: &ServiceKeys) -> Self {
        Self {
            sealer: Sealer::new(keys, Purpose::SigningKey),
            mac: keys.mac(Purpose::SigningKeyMac),
            former_mac: keys.former_mac(Purpose::SigningKeyMac),
        }
    }

    /// Fills in the halves of a key.
    pub(super) fn protect(&self, key: &SigningKey, record: &mut KeyRecord, rng: &dyn Rng) -> Result<(), KeySetError> {
        let public = key.public().public_bytes().ok_or(KeySetError::NotMade)?;
        let (x, y) = public.split_at_checked(32).ok_or(KeySetError::NotMade)?;
        let x = URL_SAFE_NO_PAD.encode(x);
        let text = if y.is_empty() { x } else { format!("{x}.{}", URL_SAFE_NO_PAD.encode(y)) };
        let sealed = self.sealer.seal(record.kid.as_bytes(), key.seed(), rng).ok_or(KeySetError::NotMade)?;
        record.mac = Some(URL_SAFE_NO_PAD.encode(self.mac.tag(&statement(record, &text))));
        (record.public_key, record.sealed) = (Some(text), Some(sealed));
        Ok(())
    }

    /// The public half; `None` for a row that we did not make, or whose secret is lost.
    pub(super) fn public(&self, record: &KeyRecord) -> Option<VerifyingKey> {
        let (text, tag) = record.public_key.as_deref().zip(record.mac.as_deref())?;
        let (tag, statement) = (URL_SAFE_NO_PAD.decode(tag).ok()?, statement(record, text));
        let is_ours = |mac: &MacKey| mac.is_genuine(&statement, &tag);
        if !is_ours(&self.mac) && !self.former_mac.as_ref().is_some_and(is_ours) {
            return None;
        }
        let (x, y) = text.split_once('.').unwrap_or((text, ""));
        let (x, y) = (URL_SAFE_NO_PAD.decode(x).ok()?, URL_SAFE_NO_PAD.decode(y).ok()?);
        let id = KeyId::parse(&record.kid)?;
        match Algorithm::named(&record.algorithm)? {
            Algorithm::EdDsa => VerifyingKey::ed25519(id, &x).ok(),
            Algorithm::Es256 => VerifyingKey::p256(id, &x, &y).ok(),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
        }
    }

    /// The whole key. It is made anew from the private half, and has to be the one that the rest of the row tells of.
    pub(super) fn private(&self, record: &KeyRecord) -> Result<SigningKey, KeySetError> {
        let made = self.open(record).zip(self.public(record)).and_then(|((seed, _), public)| {
            let key = SigningKey::from_seed(Algorithm::named(&record.algorithm)?, &seed).ok()?;
            (key.public().id() == public.id() && key.public().public_bytes() == public.public_bytes()).then_some(key)
        });
        made.ok_or_else(|| KeySetError::Sealed(record.kid.clone()))
    }

    /// The same row, protected with today's keys, when it is ours and they are others than those it was protected with.
    pub(super) fn renewed(&self, record: &KeyRecord, rng: &dyn Rng) -> Option<KeyRecord> {
        self.public(record)?;
        let mut renewed = record.clone();
        if let Some((seed, outdated)) = self.open(record)
            && outdated
        {
            renewed.sealed = Some(self.sealer.seal(record.kid.as_bytes(), seed.as_slice(), rng)?);
        }
        let text = record.public_key.as_deref()?;
        renewed.mac = Some(URL_SAFE_NO_PAD.encode(self.mac.tag(&statement(record, text))));
        (renewed != *record).then_some(renewed)
    }

    fn open(&self, record: &KeyRecord) -> Option<(Zeroizing<[u8; SEED_BYTES]>, bool)> {
        let opened = self.sealer.open(record.kid.as_bytes(), record.sealed.as_deref()?)?;
        let seed = <[u8; SEED_BYTES]>::try_from(opened.secret.as_slice()).ok()?;
        Some((Zeroizing::new(seed), opened.outdated))
    }
}

/// What the MAC is of. None of the parts can hold the character between them.
fn statement(record: &KeyRecord, public: &str) -> Vec<u8> {
    format!("{}\n{}\n{public}", record.kid, record.algorithm).into_bytes()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    struct Fixed(u8);

    impl Rng for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn cipher(secret: &[u8], encryption: Option<&[u8]>) -> KeyCipher {
        KeyCipher::new(&ServiceKeys::new(secret, encryption))
    }

    fn kept(cipher: &KeyCipher, algorithm: Algorithm) -> (SigningKey, KeyRecord) {
        let key = SigningKey::generate(algorithm, &Fixed(7)).unwrap();
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let mut record = KeyRecord::next(key.id().to_string(), algorithm.name().to_owned(), at);
        cipher.protect(&key, &mut record, &Fixed(1)).unwrap();
        (key, record)
    }

    #[test]
    fn both_halves_of_a_key_are_read_back_and_nothing_shows_the_private_one() {
        let cipher = cipher(b"secret", None);
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let (key, record) = kept(&cipher, algorithm);
            assert_eq!(cipher.private(&record).unwrap().seed(), key.seed());
            assert_eq!(cipher.public(&record).unwrap().public_bytes(), key.public().public_bytes());
            assert!(cipher.renewed(&record, &Fixed(2)).is_none());
            assert!(!record.sealed.unwrap().contains(&URL_SAFE_NO_PAD.encode(key.seed())));
        }
    }

    #[test]
    fn with_another_secret_neither_half_counts() {
        let (_, record) = kept(&cipher(b"secret", None), Algorithm::EdDsa);
        for other in [cipher(b"other", None), cipher(b"other", Some(b"rest"))] {
            assert!(matches!(other.private(&record), Err(KeySetError::Sealed(_))));
            assert!(other.public(&record).is_none() && other.renewed(&record, &Fixed(2)).is_none());
        }
    }

    #[test]
    fn a_row_that_was_changed_or_put_under_another_name_does_not_count() {
        let cipher = cipher(b"secret", None);
        let (_, record) = kept(&cipher, Algorithm::EdDsa);
        let other = SigningKey::generate(Algorithm::EdDsa, &Fixed(9)).unwrap();
        let foreign = URL_SAFE_NO_PAD.encode(other.public().public_bytes().unwrap());
        let renamed = KeyRecord { kid: other.id().to_string(), ..record.clone() };
        assert!(cipher.private(&renamed).is_err() && cipher.public(&renamed).is_none());
        assert!(cipher.public(&KeyRecord { public_key: Some(foreign), ..record.clone() }).is_none());
        assert!(cipher.public(&KeyRecord { mac: None, ..record.clone() }).is_none());
        assert!(cipher.public(&KeyRecord { algorithm: "ES256".to_owned(), ..record.clone() }).is_none());
        assert!(cipher.private(&KeyRecord { algorithm: "ES256".to_owned(), ..record }).is_err());
    }

    #[test]
    fn the_secret_can_be_replaced_once_there_is_a_key_for_what_is_at_rest() {
        let (key, old) = kept(&cipher(b"old", None), Algorithm::Es256);
        let introduced = cipher(b"old", Some(b"rest"));
        assert!(introduced.public(&old).is_some());
        let renewed = introduced.renewed(&old, &Fixed(2)).unwrap();
        let replaced = cipher(b"new", Some(b"rest"));
        assert!(replaced.private(&old).is_err());
        assert_eq!(replaced.private(&renewed).unwrap().seed(), key.seed());
        assert!(replaced.public(&renewed).is_some());
    }
}
