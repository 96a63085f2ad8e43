//! Refresh tokens: opaque to clients, made of the session, a counter and a MAC, so that no table of tokens is needed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sme_pulse_domain::ids::SessionId;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keys::{KEY_BYTES, MacKey};

/// What every refresh token begins with: people and scanners for leaked secrets know it by that.
const PREFIX: &str = "spr_";
/// Bytes of the session's id and of the counter.
const CONTENT_BYTES: usize = 16 + 8;

/// What a genuine refresh token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RefreshToken {
    /// The session it belongs to.
    pub(super) session: SessionId,
    /// Its place among the session's tokens, from 0.
    pub(super) counter: i64,
}

impl RefreshToken {
    /// The text for the client.
    pub(super) fn seal(self, key: &MacKey) -> Zeroizing<String> {
        let content = self.content();
        let mut bytes = content.to_vec();
        bytes.extend(key.tag(&content));
        Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token; `None` for everything that this service did not write, in exactly this spelling.
    pub(super) fn open(text: &str, key: &MacKey) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (content, tag) = bytes.split_at_checked(CONTENT_BYTES)?;
        if tag.len() != KEY_BYTES || !key.is_genuine(content, tag) {
            return None;
        }
        let (session, counter) = content.split_first_chunk::<16>()?;
        let counter = i64::from_be_bytes(counter.try_into().ok()?);
        Some(Self { session: SessionId::new(Uuid::from_bytes(*session)), counter })
    }

    fn content(self) -> [u8; CONTENT_BYTES] {
        let mut content = [0; CONTENT_BYTES];
        let (session, counter) = content.split_at_mut(16);
        session.copy_from_slice(self.session.get().as_bytes());
        counter.copy_from_slice(&self.counter.to_be_bytes());
        content
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Purpose, ServiceKeys};
    use super::*;

    fn key() -> MacKey {
        ServiceKeys::new(b"secret", None).mac(Purpose::RefreshToken)
    }

    #[test]
    fn a_token_is_read_back_and_every_changed_character_is_refused() {
        let token = RefreshToken { session: SessionId::new(Uuid::from_u128(7)), counter: 3 };
        let text = token.seal(&key());
        assert_eq!(RefreshToken::open(&text, &key()), Some(token));
        for place in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(RefreshToken::open(std::str::from_utf8(&changed).unwrap(), &key()), None, "{place}");
        }
        for odd in ["", "spr_", "spr_AAAA", &format!("{}=", *text), &format!("{}A", *text), "a.b.c"] {
            assert_eq!(RefreshToken::open(odd, &key()), None, "{odd}");
        }
    }
}
