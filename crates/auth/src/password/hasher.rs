//! Which algorithm makes new hashes. Stored ones of every kind are read, whatever is configured.

use password_hash::{PasswordHasher, PasswordVerifier, Result};

use super::{Argon2id, Bcrypt, MAX_ARGON2ID_BYTES, MAX_PASSWORD_BYTES, argon2id_hash, pbkdf2_hash};

/// The algorithm of new hashes, with its parameters.
#[derive(Debug, Clone, Copy)]
pub enum Hasher {
    /// bcrypt.
    Bcrypt(Bcrypt),
    /// Argon2id.
    Argon2id(Argon2id),
}

/// A kind of stored hash that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bcrypt,
    Argon2id,
    /// Argon2i and Argon2d: read, never made.
    OtherArgon2,
    /// Read, never made.
    Pbkdf2,
}

impl From<Bcrypt> for Hasher {
    fn from(hasher: Bcrypt) -> Self {
        Self::Bcrypt(hasher)
    }
}

impl From<Argon2id> for Hasher {
    fn from(hasher: Argon2id) -> Self {
        Self::Argon2id(hasher)
    }
}

impl Hasher {
    /// Longest password in bytes that it hashes; longer ones are refused, never cut.
    pub const fn max_password_bytes(&self) -> usize {
        match self {
            Self::Bcrypt(_) => MAX_PASSWORD_BYTES,
            Self::Argon2id(_) => MAX_ARGON2ID_BYTES,
        }
    }

    /// Whether a stored hash is of a kind and cost that is computed at all.
    pub fn can_read(stored: &str) -> bool {
        kind_of(stored).is_some()
    }

    /// Whether a readable hash was made by another algorithm or with other parameters.
    pub fn is_outdated(&self, stored: &str) -> bool {
        match (self, kind_of(stored)) {
            (Self::Bcrypt(hasher), Some(Kind::Bcrypt)) => hasher.is_outdated(stored),
            (Self::Argon2id(hasher), Some(Kind::Argon2id)) => hasher.is_outdated(stored),
            (_, kind) => kind.is_some(),
        }
    }

    /// The work that comparing with a cheaper hash has saved, so that its user cannot be told from one without a hash.
    ///
    /// A hash of another kind, as imports bring them, is followed by the whole work of this one. That is more than one without a hash costs,
    /// by the cost of the stored kind: until such users have logged in and their hashes are renewed, the time of an
    /// answer tells that they exist. It never tells anything about passwords.
    pub fn catch_up(&self, stored: &str, decoy: impl FnOnce()) {
        match (self, kind_of(stored)) {
            (Self::Bcrypt(hasher), Some(Kind::Bcrypt)) => hasher.catch_up(stored),
            (Self::Argon2id(hasher), Some(Kind::Argon2id)) if !hasher.is_cheaper(stored) => {}
            _ => decoy(),
        }
    }
}

fn kind_of(stored: &str) -> Option<Kind> {
    if Bcrypt::can_read(stored) {
        return Some(Kind::Bcrypt);
    }
    if Argon2id::can_read(stored) {
        return Some(Kind::Argon2id);
    }
    if argon2id_hash::can_read_other(stored) {
        return Some(Kind::OtherArgon2);
    }
    pbkdf2_hash::can_read(stored).then_some(Kind::Pbkdf2)
}

impl PasswordHasher<String> for Hasher {
    fn hash_password_with_salt(&self, password: &[u8], salt: &[u8]) -> Result<String> {
        match self {
            Self::Bcrypt(hasher) => hasher.hash_password_with_salt(password, salt),
            Self::Argon2id(hasher) => hasher.hash_password_with_salt(password, salt),
        }
    }
}

impl PasswordVerifier<str> for Hasher {
    /// By the algorithm of the stored hash.
    fn verify_password(&self, password: &[u8], stored: &str) -> Result<()> {
        match kind_of(stored) {
            Some(Kind::Bcrypt) => Bcrypt::new(0).verify_password(password, stored),
            Some(Kind::Argon2id) => Argon2id::OWASP.verify_password(password, stored),
            Some(Kind::OtherArgon2) => argon2id_hash::verify_other(password, stored),
            Some(Kind::Pbkdf2) => pbkdf2_hash::verify(password, stored),
            None => Err(password_hash::Error::EncodingInvalid),
        }
    }
}
