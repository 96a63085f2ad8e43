//! PBKDF2 (RFC 8018) with HMAC-SHA-256 or HMAC-SHA-512: hashes that people bring along from other programs. They are read, never
//! made, and replaced at the next log-in.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use password_hash::{Error, Result};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::MAX_ARGON2ID_BYTES as MAX_BYTES;

/// Iterations of a stored hash that are computed: beyond them one log-in would block the pool for seconds.
pub(super) const ITERATIONS: std::ops::RangeInclusive<u32> = 1_000..=2_000_000;
/// Lengths in bytes that are read.
const SALT_BYTES: std::ops::RangeInclusive<usize> = 4..=64;
const OUTPUT_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// The hash behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha512,
}

/// A hash taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) digest: Digest,
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl Digest {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    /// More output than one hash is computed piece by piece: it costs its owner more and a guesser nothing.
    const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Parts {
    /// The one form in which such hashes are stored: `$pbkdf2-sha256$i=600000$salt$hash`, in base64 without padding.
    pub(super) fn stored(&self) -> String {
        let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let (name, iterations) = (self.digest.name(), self.iterations);
        format!("${name}$i={iterations}${}${}", encode(&self.salt), encode(&self.output))
    }

    /// Whether it is within the bounds.
    pub(super) fn is_bounded(&self) -> bool {
        let output = OUTPUT_BYTES.contains(&self.output.len()) && self.output.len() <= self.digest.bytes();
        output && ITERATIONS.contains(&self.iterations) && SALT_BYTES.contains(&self.salt.len())
    }

    fn parse(stored: &str) -> Option<Self> {
        let mut fields = stored.strip_prefix('$')?.split('$');
        let name = fields.next()?;
        let digest = [Digest::Sha256, Digest::Sha512].into_iter().find(|digest| digest.name() == name)?;
        let iterations = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        let mut bytes = || STANDARD_NO_PAD.decode(fields.next()?).ok();
        let parts = Self { digest, iterations, salt: bytes()?, output: bytes()? };
        // One text for one hash: what would be written otherwise is not ours.
        (parts.is_bounded() && parts.stored() == stored).then_some(parts)
    }
}

/// Whether a stored hash is one that this module reads, with as many iterations as it is willing to compute.
pub(super) fn can_read(stored: &str) -> bool {
    Parts::parse(stored).is_some()
}

/// Compares a password with a stored hash.
pub(super) fn verify(password: &[u8], stored: &str) -> Result<()> {
    let parts = Parts::parse(stored).ok_or(Error::EncodingInvalid)?;
    let mut computed = Zeroizing::new(vec![0; parts.output.len()]);
    // The work is done even when the answer is known, so that its duration tells nothing.
    let bounded = password.get(..MAX_BYTES).unwrap_or(password);
    match parts.digest {
        Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(bounded, &parts.salt, parts.iterations, &mut computed),
        Digest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(bounded, &parts.salt, parts.iterations, &mut computed),
    }
    let matches = bool::from(computed.ct_eq(&parts.output));
    let usable = password.len() <= MAX_BYTES && !password.contains(&0);
    if matches && usable { Ok(()) } else { Err(Error::PasswordInvalid) }
}
