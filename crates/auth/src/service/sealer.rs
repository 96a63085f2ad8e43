//! Secrets at rest: XChaCha20-Poly1305, bound to their owner, so that no row can be put in another's place.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sme_pulse_domain::rng::Rng;
use zeroize::Zeroizing;

use super::keys::{KEY_BYTES, Purpose, ServiceKeys};

/// The form, so that a later one can be told from it.
const VERSION: &str = "1.";
const NONCE_BYTES: usize = 24;

/// Seals and opens the secrets of one purpose.
pub(super) struct Sealer {
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

impl Sealer {
    pub(super) fn new(keys: &ServiceKeys, purpose: Purpose) -> Self {
        Self { key: keys.derive(purpose), former: keys.derive_former(purpose) }
    }

    /// The text to store; `None` only if the cipher fails, which it does for no input of this size.
    pub(super) fn seal(&self, owner: &[u8], secret: &[u8], rng: &dyn Rng) -> Option<String> {
        let mut bytes = vec![0; NONCE_BYTES];
        rng.fill(&mut bytes);
        let nonce = XNonce::try_from(bytes.as_slice()).ok()?;
        let sealed = cipher(&self.key).encrypt(&nonce, Payload { msg: secret, aad: owner }).ok()?;
        bytes.extend(sealed);
        Some(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The secret; `None` for what was changed, sealed for another owner, or sealed with a key that is lost.
    pub(super) fn open(&self, owner: &[u8], stored: &str) -> Option<Opened> {
        let bytes = URL_SAFE_NO_PAD.decode(stored.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let open = |key: &Zeroizing<[u8; KEY_BYTES]>| {
            cipher(key).decrypt(&nonce, Payload { msg: sealed, aad: owner }).ok().map(Zeroizing::new)
        };
        let current = open(&self.key).map(|secret| Opened { secret, outdated: false });
        current.or_else(|| Some(Opened { secret: open(self.former.as_ref()?)?, outdated: true }))
    }
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}
