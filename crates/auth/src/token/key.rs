//! Keys that tokens are checked with: each has one algorithm and at most one name.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Algorithm, KeyError, check::Check};

/// Most characters of a key's name.
const LONGEST_NAME: usize = 64;

/// The name of a key (`kid`, RFC 7515 section 4.1.4): 1 to 64 letters, digits, `-` and `_`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Reads a name. `None` for one that this library would never give a key: it is data, not a path or a query.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

/// What checks signatures: a shared secret or a public key. There is no way to read a secret back.
#[derive(Clone)]
pub struct VerifyingKey {
    id: Option<KeyId>,
    algorithm: Algorithm,
    until: Option<i64>,
    check: Check,
    /// The header, as it stands in a token, that says no more than this key's name and algorithm.
    header: Arc<str>,
}

impl VerifyingKey {
    /// A shared secret, which has no name. Refuses an algorithm of public keys.
    pub fn shared_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        Ok(Self::new(None, algorithm, Check::shared_secret(secret, algorithm)?))
    }

    /// An Ed25519 public key of 32 bytes (RFC 8037).
    pub fn ed25519(id: KeyId, x: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::new(Some(id), Algorithm::EdDsa, Check::ed25519(x)?))
    }

    /// A P-256 public key by its coordinates of 32 bytes each (RFC 7518 section 6.2.1).
    pub fn p256(id: KeyId, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::new(Some(id), Algorithm::Es256, Check::p256(x, y)?))
    }

    fn new(id: Option<KeyId>, algorithm: Algorithm, check: Check) -> Self {
        let header = URL_SAFE_NO_PAD.encode(plain_header(algorithm, "JWT", id.as_ref())).into();
        Self { id, algorithm, until: None, check, header }
    }

    /// The same key, which counts for nothing from this second (since 1970) on, as a retired one does when its last token has
    /// expired.
    #[must_use]
    pub const fn until(mut self, second: i64) -> Self {
        self.until = Some(second);
        self
    }

    /// The same shared secret for another algorithm of shared secrets; a public key stays what it is.
    #[cfg(feature = "service")]
    #[must_use]
    pub(crate) fn used_with(self, algorithm: Algorithm) -> Self {
        match self.check.used_with(algorithm) {
            Some(check) => Self { until: self.until, ..Self::new(self.id, algorithm, check) },
            None => self,
        }
    }

    /// Its name.
    pub const fn id(&self) -> Option<&KeyId> {
        self.id.as_ref()
    }

    /// What it is used with.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether it still counts at this second since 1970.
    pub const fn counts_at(&self, now: i64) -> bool {
        match self.until {
            None => true,
            Some(end) => now < end,
        }
    }

    /// The bytes of a public key: `x`, or `x` and `y` one after the other; `None` for a shared secret.
    pub fn public_bytes(&self) -> Option<&[u8]> {
        self.check.public_bytes()
    }

    /// Whether this is, to the byte, the header of our own tokens that this key signs: then nothing in it has to be read.
    pub(super) fn has_plain_header(&self, encoded: &str) -> bool {
        *self.header == *encoded
    }

    /// Whether the signature belongs to the message.
    pub(super) fn is_genuine(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check.is_genuine(message, signature)
    }

    /// Whether it is how we spell a signature: of a token there is one text.
    pub(super) fn is_canonical(&self, signature: &[u8]) -> bool {
        self.check.is_canonical(signature)
    }
}

/// The header of what is signed here: names of algorithms and keys need no escapes.
pub(super) fn plain_header(algorithm: Algorithm, typ: &str, id: Option<&KeyId>) -> String {
    let key = id.map(|id| format!(r#","kid":"{id}""#)).unwrap_or_default();
    format!(r#"{{"alg":"{}","typ":"{typ}"{key}}}"#, algorithm.name())
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, algorithm, until, check: _, header: _ } = self;
        f.debug_struct("VerifyingKey")
            .field("id", id)
            .field("algorithm", algorithm)
            .field("until", until)
            .finish_non_exhaustive()
    }
}

/// The keys that count: any number with names of their own, and at most one without. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(Arc<[VerifyingKey]>);

impl KeyRing {
    /// Refuses two keys with one name, and two without any.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, KeyError> {
        let keys: Arc<[VerifyingKey]> = keys.into_iter().collect();
        let mut names: Vec<_> = keys.iter().map(VerifyingKey::id).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| matches!(two, [one, other] if one == other)) {
            return Err(KeyError::Repeated);
        }
        Ok(Self(keys))
    }

    /// The key with this name, or the one without.
    pub fn find(&self, id: Option<&str>) -> Option<&VerifyingKey> {
        self.0.iter().find(|key| key.id().map(KeyId::as_str) == id)
    }

    /// All keys, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none, so that no token can be genuine.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
