//! The secrets of second factors at rest: XChaCha20-Poly1305, bound to their user, so that no row can be put in another's
//! place.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sme_pulse_domain::{ids::UserId, rng::Rng};
use zeroize::Zeroizing;

use super::super::keys::{KEY_BYTES, Purpose, ServiceKeys};

/// The form, so that a later one can be told from it.
const VERSION: &str = "1.";
const NONCE_BYTES: usize = 24;

/// Seals and opens secrets.
pub(in crate::service) struct FactorCipher {
    key: Zeroizing<[u8; KEY_BYTES]>,
    /// Of secrets that were sealed before the installation had a key for them alone.
    former: Option<Zeroizing<[u8; KEY_BYTES]>>,
}

/// A secret that was opened.
pub(super) struct Opened {
    pub(super) secret: Zeroizing<Vec<u8>>,
    /// Whether it should be sealed anew, with today's key.
    pub(super) outdated: bool,
}

impl FactorCipher {
    pub(in crate::service) fn new(keys: &ServiceKeys) -> Self {
        Self { key: keys.derive(Purpose::FactorSecret), former: keys.derive_former(Purpose::FactorSecret) }
    }

    /// The text to store; `None` only if the cipher fails, which it does for no input of this size.
    pub(super) fn seal(&self, user: UserId, secret: &[u8], rng: &dyn Rng) -> Option<String> {
        let mut bytes = vec![0; NONCE_BYTES];
        rng.fill(&mut bytes);
        let nonce = XNonce::try_from(bytes.as_slice()).ok()?;
        let sealed = cipher(&self.key).encrypt(&nonce, Payload { msg: secret, aad: &owner(user) }).ok()?;
        bytes.extend(sealed);
        Some(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The secret; `None` for what was changed, sealed for another user, or sealed with a key that is lost.
    pub(super) fn open(&self, user: UserId, stored: &str) -> Option<Opened> {
        let bytes = URL_SAFE_NO_PAD.decode(stored.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let open = |key: &Zeroizing<[u8; KEY_BYTES]>| {
            cipher(key).decrypt(&nonce, Payload { msg: sealed, aad: &owner(user) }).ok().map(Zeroizing::new)
        };
        let current = open(&self.key).map(|secret| Opened { secret, outdated: false });
        current.or_else(|| Some(Opened { secret: open(self.former.as_ref()?)?, outdated: true }))
    }
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

fn owner(user: UserId) -> [u8; 8] {
    user.get().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Rng for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const USER: UserId = UserId::new(7);
    const SECRET: &[u8] = b"12345678901234567890";

    fn sealed_with(keys: &ServiceKeys) -> String {
        FactorCipher::new(keys).seal(USER, SECRET, &Fixed(1)).unwrap()
    }

    #[test]
    fn a_secret_is_read_back_by_its_own_user_and_key_only() {
        let keys = ServiceKeys::new(b"secret", None);
        let sealed = sealed_with(&keys);
        let opened = FactorCipher::new(&keys).open(USER, &sealed).unwrap();
        assert_eq!((opened.secret.as_slice(), opened.outdated), (SECRET, false));
        assert!(FactorCipher::new(&keys).open(UserId::new(8), &sealed).is_none());
        assert!(FactorCipher::new(&ServiceKeys::new(b"other", None)).open(USER, &sealed).is_none());
        assert!(!sealed.contains(&URL_SAFE_NO_PAD.encode(SECRET)));
        assert_ne!(FactorCipher::new(&keys).seal(USER, SECRET, &Fixed(2)).unwrap(), sealed);
    }

    #[test]
    fn no_character_of_it_can_be_changed_or_left_out() {
        let cipher = FactorCipher::new(&ServiceKeys::new(b"secret", None));
        let sealed = sealed_with(&ServiceKeys::new(b"secret", None));
        for place in 0..sealed.len() {
            let mut changed = sealed.as_bytes().to_vec();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert!(cipher.open(USER, std::str::from_utf8(&changed).unwrap()).is_none(), "{place}");
            assert!(cipher.open(USER, &sealed[..place]).is_none(), "{place}");
        }
        for odd in ["", "1.", "1.AAAA", "2.AAAA", "ü"] {
            assert!(cipher.open(USER, odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn the_signing_secret_can_be_replaced_once_there_is_a_key_for_secrets_at_rest() {
        let old = sealed_with(&ServiceKeys::new(b"old", None));
        let introduced = FactorCipher::new(&ServiceKeys::new(b"old", Some(b"rest")));
        assert!(introduced.open(USER, &old).unwrap().outdated, "sealed before, still readable, to be sealed anew");
        let new = introduced.seal(USER, SECRET, &Fixed(1)).unwrap();
        let replaced = FactorCipher::new(&ServiceKeys::new(b"new", Some(b"rest")));
        assert!(!replaced.open(USER, &new).unwrap().outdated);
        assert!(replaced.open(USER, &old).is_none());
    }
}
