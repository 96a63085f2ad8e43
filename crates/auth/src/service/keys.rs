//! The service's own keys, one for each purpose, all derived from the configured secret: none can be used in another's
//! place, and none tells anything about the secret (HKDF, RFC 5869).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of every derived key and of every MAC.
pub const KEY_BYTES: usize = 32;

/// What a derived key is for. The text goes into the derivation, so it must never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The MAC of refresh tokens.
    RefreshToken,
    /// The MAC of device tokens.
    DeviceToken,
    /// The names under which guesses at an account are counted.
    GuessCounter,
    /// The encryption of second factors at rest.
    FactorSecret,
    /// The signature under checkpoints of the audit trail.
    AuditCheckpoint,
    /// The encryption of the private keys of access tokens at rest.
    SigningKey,
    /// The MAC of the public keys of access tokens at rest.
    SigningKeyMac,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::RefreshToken => "sme-pulse refresh token 1",
            Self::DeviceToken => "sme-pulse device token 1",
            Self::GuessCounter => "sme-pulse guess counter 1",
            Self::FactorSecret => "sme-pulse factor secret 1",
            Self::AuditCheckpoint => "sme-pulse audit checkpoint 1",
            Self::SigningKey => "sme-pulse signing key 1",
            Self::SigningKeyMac => "sme-pulse signing key mac 1",
        }
    }
}

/// The secrets that keys are derived from; wiped from memory when dropped.
#[derive(Clone)]
pub struct ServiceKeys {
    secret: Zeroizing<Vec<u8>>,
    encryption: Option<Zeroizing<Vec<u8>>>,
}

impl ServiceKeys {
    /// Keys derived from the signing secret. What is encrypted at rest uses `encryption` instead, if there is one, so
    /// that the signing secret can be replaced without losing it.
    pub fn new(secret: &[u8], encryption: Option<&[u8]>) -> Self {
        let keep = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        Self { secret: keep(secret), encryption: encryption.map(keep) }
    }

    /// The key for one purpose.
    pub(super) fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; KEY_BYTES]> {
        let source = match purpose {
            Purpose::FactorSecret | Purpose::SigningKey | Purpose::SigningKeyMac => {
                self.encryption.as_ref().unwrap_or(&self.secret)
            }
            _ => &self.secret,
        };
        expand(source, purpose)
    }

    /// The key that was used for what is encrypted at rest before there was a key for that alone.
    pub(super) fn derive_former(&self, purpose: Purpose) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
        self.encryption.as_ref().map(|_| expand(&self.secret, purpose))
    }

    /// A MAC (HMAC-SHA-256) key for one purpose.
    pub(super) fn mac(&self, purpose: Purpose) -> MacKey {
        MacKey(self.derive(purpose))
    }

    /// The MAC key that was used for what is kept at rest before there was a key for that alone.
    pub(super) fn former_mac(&self, purpose: Purpose) -> Option<MacKey> {
        self.derive_former(purpose).map(MacKey)
    }
}

fn expand(source: &[u8], purpose: Purpose) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    // Only a length of more than 255 hashes can fail.
    let _ = Hkdf::<Sha256>::new(None, source).expand(purpose.label().as_bytes(), key.as_mut_slice());
    key
}

/// Makes and checks MACs for one purpose.
#[derive(Clone)]
pub(super) struct MacKey(Zeroizing<[u8; KEY_BYTES]>);

impl MacKey {
    /// The MAC of a message.
    pub(super) fn tag(&self, message: &[u8]) -> [u8; KEY_BYTES] {
        self.of(message).map_or([0; KEY_BYTES], |mac| mac.finalize().into_bytes().into())
    }

    /// Whether a MAC belongs to a message; takes the same time wherever they differ.
    pub(super) fn is_genuine(&self, message: &[u8], tag: &[u8]) -> bool {
        tag.len() == KEY_BYTES && self.of(message).is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }

    /// HMAC takes keys of any length, so there is always one.
    fn of(&self, message: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        mac.update(message);
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let keys = ServiceKeys::new(b"secret", None);
        let purposes = [
            Purpose::RefreshToken,
            Purpose::DeviceToken,
            Purpose::GuessCounter,
            Purpose::FactorSecret,
            Purpose::AuditCheckpoint,
            Purpose::SigningKey,
            Purpose::SigningKeyMac,
        ];
        let derived: std::collections::BTreeSet<_> = purposes.iter().map(|purpose| *keys.derive(*purpose)).collect();
        assert_eq!(derived.len(), purposes.len());
    }

    #[test]
    fn a_key_of_its_own_keeps_what_is_encrypted_readable_when_the_secret_changes() {
        let (old, new) = (ServiceKeys::new(b"old", Some(b"e")), ServiceKeys::new(b"new", Some(b"e")));
        assert_eq!(old.derive(Purpose::FactorSecret), new.derive(Purpose::FactorSecret));
        assert_ne!(old.derive(Purpose::RefreshToken), new.derive(Purpose::RefreshToken));
    }

    #[test]
    fn only_the_whole_mac_of_the_very_message_is_genuine() {
        let key = ServiceKeys::new(b"secret", None).mac(Purpose::RefreshToken);
        let tag = key.tag(b"message");
        assert!(key.is_genuine(b"message", &tag));
        assert!(!key.is_genuine(b"massage", &tag) && !key.is_genuine(b"message", &tag[..31]));
        assert!(!ServiceKeys::new(b"secret", None).mac(Purpose::DeviceToken).is_genuine(b"message", &tag));
    }
}
