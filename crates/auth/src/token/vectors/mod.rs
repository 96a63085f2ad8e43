//! Test vectors that others have published: what they call valid is genuine here, everything else is refused.

mod attacks;
mod rfc;
mod wycheproof;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{KeyId, KeyRing, VerifyingKey};

fn bytes(base64url: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(base64url).unwrap()
}

fn name(text: &str) -> KeyId {
    KeyId::parse(text).unwrap()
}

fn ring(keys: impl IntoIterator<Item = VerifyingKey>) -> KeyRing {
    KeyRing::new(keys).unwrap()
}

/// The signature alone: what the compact form was signed with, whatever its header says.
fn is_genuine(key: &VerifyingKey, compact: &str) -> bool {
    let (message, signature) = compact.rsplit_once('.').unwrap();
    key.is_genuine(message.as_bytes(), &bytes(signature))
}
