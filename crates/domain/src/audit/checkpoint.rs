//! What the server signs (Ed25519, RFC 8032): checkpoints of a chain, and the end of an exported one.

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, VerifyingKey};

use super::{Chain, Digest, encoding::statement};
use crate::hex::{hex, unhex};

/// Hex digits of a key's id.
const KEY_ID: usize = 16;

/// A key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// A key of our own.
    pub const fn of(key: VerifyingKey) -> Self {
        Self(key)
    }

    /// The key behind its 32 bytes; `None` for bytes that are no key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The key behind 64 lower-case hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::from_bytes(&unhex(text)?)
    }

    /// The key as 64 hex digits.
    pub fn hex(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// A short name: the first 16 hex digits of the SHA-256 of the key.
    pub fn id(&self) -> String {
        let mut digest = Digest::default();
        digest.add(self.0.as_bytes());
        let mut id = digest.hex();
        id.truncate(KEY_ID);
        id
    }

    /// Whether a signature, as 128 hex digits, is this key's under the statement.
    pub fn signed(&self, statement: &[u8], signature: &str) -> bool {
        let signature = unhex::<64>(signature).map(|bytes| Signature::from_bytes(&bytes));
        signature.is_some_and(|signature| self.0.verify_strict(statement, &signature).is_ok())
    }
}

/// A signed statement that a chain had this event at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The chain.
    pub chain: Chain,
    /// The newest event.
    pub seq: i64,
    /// Its hash, as 64 hex digits.
    pub hash: String,
    /// When it was signed.
    pub signed_at: DateTime<Utc>,
    /// Which key signed.
    pub key_id: String,
    /// The signature, as 128 hex digits.
    pub signature: String,
}

impl Checkpoint {
    /// The bytes that are signed.
    pub fn statement(&self) -> Vec<u8> {
        let (chain, seq) = (self.chain.number().to_string(), self.seq.to_string());
        let at = self.signed_at.timestamp_micros().to_string();
        statement("sme-pulse audit checkpoint 1", &[&chain, &seq, &self.hash, &at])
    }
}

/// What stands at the end of an exported chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The chain.
    pub chain: Chain,
    /// How many events were exported.
    pub count: i64,
    /// The newest event's number as the chain's head has it; 0 for a chain without events.
    pub last_seq: i64,
    /// The newest event's hash as the chain's head has it.
    pub last_hash: Option<String>,
    /// SHA-256 over all lines before, line feeds included, as 64 hex digits.
    pub digest: String,
    /// The signature, as 128 hex digits.
    pub signature: String,
}

impl Ending {
    /// The bytes that are signed.
    pub fn statement(&self) -> Vec<u8> {
        let numbers = [self.chain.number(), self.count, self.last_seq].map(|number| number.to_string());
        let [chain, count, last_seq] = &numbers;
        let last_hash = self.last_hash.as_deref().unwrap_or_default();
        statement("sme-pulse audit export 1", &[chain, count, last_seq, last_hash, &self.digest])
    }
}
