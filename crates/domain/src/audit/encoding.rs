//! The bytes that are hashed and signed: every text with its length before it, so that no two different lists of
//! texts have the same bytes.

use sha2::{Digest as _, Sha256};

use crate::hex::hex;

/// A SHA-256 under way.
#[derive(Debug, Clone, Default)]
pub struct Digest(Sha256);

impl Digest {
    /// Takes bytes in.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// A presence byte; then, of a text that is there, its length in bytes as a big-endian u64, and the bytes.
    pub(super) fn text(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.add(&[0]) };
        self.add(&[1]);
        self.count(text.len());
        self.add(text.as_bytes());
    }

    pub(super) fn count(&mut self, number: usize) {
        self.add(&u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// The hash as 64 hex digits.
    pub fn hex(self) -> String {
        hex(&self.finish())
    }
}

/// What is signed: a label that says for what, and texts, each with its length in bytes as a big-endian u64.
pub(super) fn statement(label: &str, texts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in std::iter::once(&label).chain(texts) {
        bytes.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}
