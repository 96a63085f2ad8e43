//! The secrets of second factors at rest: XChaCha20-Poly1305, bound to their user, so that no row can be put in another's
//! place.

use sme_pulse_domain::{ids::UserId, rng::Rng};

use super::super::{
    keys::{Purpose, ServiceKeys},
    sealer::{Opened, Sealer},
};

/// Seals and opens secrets.
pub(in crate::service) struct FactorCipher(Sealer);

impl FactorCipher {
    pub(in crate::service) fn new(keys: &ServiceKeys) -> Self {
        Self(Sealer::new(keys, Purpose::FactorSecret))
    }

    /// The text to store; `None` only if the cipher fails, which it does for no input of this size.
    pub(super) fn seal(&self, user: UserId, secret: &[u8], rng: &dyn Rng) -> Option<String> {
        self.0.seal(&owner(user), secret, rng)
    }

    /// The secret; `None` for what was changed, sealed for another user, or sealed with a key that is lost.
    pub(super) fn open(&self, user: UserId, stored: &str) -> Option<Opened> {
        self.0.open(&owner(user), stored)
    }
}

fn owner(user: UserId) -> [u8; 8] {
    user.get().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

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
