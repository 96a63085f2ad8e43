//! The text of a key, which its holder alone has: `smep_` and 12 characters to find it by, `_`, 43 secret characters and a
//! checksum of 6. Nothing of it needs to be encoded or quoted anywhere, and scanners for leaked secrets know it by its form.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{hex::hex, rng::Rng};

/// Digits, large and small letters: what a double click selects.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MARK: usize = 5;
const PREFIX: usize = 12;
/// 256 bits.
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
const LENGTH: usize = MARK + PREFIX + 1 + SECRET + CHECKSUM;
/// Length of what is stored of a key.
pub const HASH_DIGITS: usize = 64;

/// Whose a key is. The mark is part of the text, so that neither is taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// A key of an organization.
    Organization,
    /// The key of a service account of the operator's.
    Service,
}

impl KeyKind {
    /// What every key of the kind begins with.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Organization => "smep_",
            Self::Service => "smes_",
        }
    }

    /// The kind that a text says it is, whatever follows; `None` for what is no key.
    pub fn of(text: &str) -> Option<Self> {
        [Self::Organization, Self::Service].into_iter().find(|kind| text.starts_with(kind.mark()))
    }
}

/// The public part of a key, by which it is found. It says nothing of the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPrefix([u8; PREFIX]);

impl KeyPrefix {
    /// The prefix with these characters; `None` for other than 12 letters and digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; PREFIX] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        // Letters and digits only, or there would be no prefix.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no key: cut, mistyped or made up. It does not say where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the text of a key")]
pub struct MalformedKey;

/// A key with its secret. `Debug` shows the public part alone.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    kind: KeyKind,
    prefix: KeyPrefix,
    text: String,
}

impl KeyText {
    /// A new key.
    pub fn generate(kind: KeyKind, rng: &dyn Rng) -> Self {
        // More bits than fit into the prefix; the highest are lost.
        let (mut name, mut secret) = ([0; 9], [0; 32]);
        rng.fill(&mut name);
        rng.fill(&mut secret);
        let name = base62(&mut name, PREFIX);
        let body = format!("{}{name}_{}", kind.mark(), base62(&mut secret, SECRET));
        let text = format!("{body}{}", checksum(body.as_bytes()));
        let prefix = KeyPrefix::parse(&name).unwrap_or(KeyPrefix([b'0'; PREFIX]));
        Self { kind, prefix, text }
    }

    /// Reads a key. Its checksum is part of its form, so that a mistyped or invented one costs no look into the database.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let kind = KeyKind::of(text).filter(|_| text.len() == LENGTH).ok_or(MalformedKey)?;
        let rest = text.get(MARK..).and_then(|rest| rest.split_once('_'));
        let (prefix, secret) = rest.ok_or(MalformedKey)?;
        let prefix = KeyPrefix::parse(prefix).ok_or(MalformedKey)?;
        let (body, stated) = text.split_at_checked(LENGTH - CHECKSUM).ok_or(MalformedKey)?;
        if !secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) || checksum(body.as_bytes()) != stated {
            return Err(MalformedKey);
        }
        Ok(Self { kind, prefix, text: text.to_owned() })
    }

    /// Whose it says it is.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// By what it is found.
    pub const fn prefix(&self) -> KeyPrefix {
        self.prefix
    }

    /// The whole text, for its holder.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is stored of it: its SHA-256 in hexadecimal digits. A slow hash makes guessing passwords dear; nobody guesses
    /// one of 2^256 values however fast they may try.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.text.as_bytes()))
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({}{}_…)", self.kind.mark(), self.prefix)
    }
}

/// The lowest so many digits of a big-endian number, to the base of 62; the number is used up.
fn base62(number: &mut [u8], digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        let mut rest = 0_u16;
        for byte in &mut *number {
            // Below 62 * 256.
            let part = (rest << 8) | u16::from(*byte);
            *byte = u8::try_from(part / 62).unwrap_or_default();
            rest = part % 62;
        }
        *digit = ALPHABET.get(usize::from(rest)).copied().unwrap_or(b'0');
    }
    String::from_utf8(text).unwrap_or_default()
}

/// The CRC-32 (ISO 3309, as in gzip) of the bytes, as 6 digits.
fn checksum(bytes: &[u8]) -> String {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    base62(&mut (!crc).to_be_bytes(), CHECKSUM)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
