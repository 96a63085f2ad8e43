//! Argon2id (RFC 9106) behind the traits of `password-hash`, stored as PHC strings. Stored hashes with parameters that
//! nobody would choose are refused, never computed.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use password_hash::{Error, PasswordHasher, PasswordVerifier, Result, phc::PasswordHash};

/// Longest password in bytes. Argon2 has no limit of its own that matters; this one bounds what is kept in memory.
pub const MAX_ARGON2ID_BYTES: usize = 1_024;
/// Most memory of a stored hash that is computed, in KiB.
const MAX_MEMORY: u32 = 256 * 1_024;
/// Hashes that fill more than this, in KiB, are computed one at a time: imported ones on all threads would take the memory of
/// everything else.
const LARGE_MEMORY: u32 = 32 * 1_024;
/// Most passes of a stored hash that are computed.
const MAX_PASSES: u32 = 10;
/// Most lanes of a stored hash that are computed.
const MAX_LANES: u32 = 8;
/// Lengths of salts and outputs in bytes that are read.
const SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=48;
const OUTPUT_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

static LARGE: Mutex<()> = Mutex::new(());

/// Argon2id with one set of parameters, version 19.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2id {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2id {
    /// The least that OWASP's cheat sheet on password storage recommends: 19 MiB, two passes, one lane.
    pub const OWASP: Self = Self::new(19_456, 2, 1);

    /// A hasher that fills so much memory so many times.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Self {
        Self { memory_kib, passes, lanes }
    }

    /// Whether a stored hash is one that this module reads, with parameters it is willing to compute.
    pub fn can_read(stored: &str) -> bool {
        parameters(stored).is_some()
    }

    /// Whether a readable hash was made with other parameters.
    pub fn is_outdated(&self, stored: &str) -> bool {
        parameters(stored).is_some_and(|made_with| made_with != *self)
    }

    /// Whether computing the stored hash is less work than one of this hasher.
    pub fn is_cheaper(&self, stored: &str) -> bool {
        parameters(stored).is_some_and(|made_with| made_with.work() < self.work())
    }

    fn work(self) -> u64 {
        u64::from(self.memory_kib).saturating_mul(u64::from(self.passes))
    }

    fn context(self) -> Result<Argon2<'static>> {
        self.context_of(Algorithm::Argon2id)
    }

    fn context_of(self, algorithm: Algorithm) -> Result<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None).map_err(|_| Error::ParamsInvalid)?;
        Ok(Argon2::new(algorithm, Version::V0x13, params))
    }
}

/// Whether a stored hash is Argon2i or Argon2d, as other programs make them, with parameters that are computed at all.
pub(super) fn can_read_other(stored: &str) -> bool {
    other(stored).is_some()
}

/// Compares with a hash of Argon2i or Argon2d.
pub(super) fn verify_other(password: &[u8], stored: &str) -> Result<()> {
    let (algorithm, made_with) = other(stored).ok_or(Error::EncodingInvalid)?;
    verify(password, stored, &made_with.context_of(algorithm)?)
}

fn other(stored: &str) -> Option<(Algorithm, Argon2id)> {
    let known = [("argon2i", Algorithm::Argon2i), ("argon2d", Algorithm::Argon2d)];
    known.into_iter().find_map(|(name, algorithm)| Some((algorithm, parameters_of(name, stored)?)))
}

fn verify(password: &[u8], stored: &str, context: &Argon2<'_>) -> Result<()> {
    let hash = PasswordHash::new(stored).map_err(|_| Error::EncodingInvalid)?;
    // The work is done even when the answer is known, so that its duration tells nothing; but never on megabytes.
    let computed = password.get(..MAX_ARGON2ID_BYTES).unwrap_or(password);
    let turn = (context.params().m_cost() > LARGE_MEMORY).then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    let matches = PasswordVerifier::<PasswordHash>::verify_password(context, computed, &hash);
    drop(turn);
    let usable = password.len() <= MAX_ARGON2ID_BYTES && !password.contains(&0);
    if matches.is_ok() && usable { Ok(()) } else { Err(Error::PasswordInvalid) }
}

/// The parameters of a stored hash; `None` unless it is Argon2id of this version within the bounds.
fn parameters(stored: &str) -> Option<Argon2id> {
    parameters_of("argon2id", stored)
}

fn parameters_of(algorithm: &str, stored: &str) -> Option<Argon2id> {
    let hash = PasswordHash::new(stored).ok()?;
    let whole = SALT_BYTES.contains(&hash.salt?.len()) && OUTPUT_BYTES.contains(&hash.hash?.len());
    if hash.algorithm.as_str() != algorithm || hash.version != Some(19) || !whole {
        return None;
    }
    // Parameters that the library would also look at, such as a key's name, belong to no hash of ours.
    if hash.params.iter().count() != 3 {
        return None;
    }
    let number = |name| hash.params.get_decimal(name);
    let (memory_kib, passes, lanes) = (number("m")?, number("t")?, number("p")?);
    let bounded = memory_kib <= MAX_MEMORY && (1..=MAX_PASSES).contains(&passes) && (1..=MAX_LANES).contains(&lanes);
    let made_with = Argon2id { memory_kib, passes, lanes };
    (bounded && made_with.context().is_ok()).then_some(made_with)
}

impl PasswordHasher<String> for Argon2id {
    fn hash_password_with_salt(&self, password: &[u8], salt: &[u8]) -> Result<String> {
        if password.len() > MAX_ARGON2ID_BYTES || password.contains(&0) {
            return Err(Error::PasswordInvalid);
        }
        let hash: PasswordHash = self.context()?.hash_password_with_salt(password, salt)?;
        Ok(hash.to_string())
    }
}

impl PasswordVerifier<str> for Argon2id {
    /// With the parameters of the stored hash, whatever this hasher's own are.
    fn verify_password(&self, password: &[u8], stored: &str) -> Result<()> {
        let made_with = parameters(stored).ok_or(Error::EncodingInvalid)?;
        verify(password, stored, &made_with.context()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Argon2id = Argon2id::new(8, 1, 1);

    fn stored(hasher: Argon2id) -> String {
        hasher.hash_password_with_salt(b"correct", &[7; 16]).unwrap()
    }

    #[test]
    fn the_form_is_a_phc_string_with_the_parameters() {
        assert!(stored(FAST).starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", stored(FAST));
        assert!(stored(Argon2id::OWASP).starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn nothing_but_the_exact_password_matches_whatever_is_configured() {
        let hash = stored(FAST);
        for hasher in [FAST, Argon2id::OWASP] {
            assert!(hasher.verify_password(b"correct", &hash).is_ok());
            for wrong in [b"Correct".as_slice(), b"", b"correct\0", b"correct "] {
                assert!(hasher.verify_password(wrong, &hash).is_err());
            }
        }
        assert!(!FAST.is_outdated(&hash) && Argon2id::OWASP.is_outdated(&hash) && Argon2id::OWASP.is_cheaper(&hash));
    }

    #[test]
    fn bytes_beyond_the_limit_are_not_dropped() {
        let longest = vec![b'x'; MAX_ARGON2ID_BYTES];
        let hash = FAST.hash_password_with_salt(&longest, &[1; 16]).unwrap();
        assert!(FAST.verify_password(&longest, &hash).is_ok());
        let longer = [longest.as_slice(), b"y"].concat();
        assert!(FAST.verify_password(&longer, &hash).is_err());
        assert!(FAST.hash_password_with_salt(&longer, &[1; 16]).is_err());
    }

    #[test]
    fn absurd_and_malformed_hashes_are_not_read() {
        let good = stored(FAST);
        assert!(Argon2id::can_read(&good));
        let (salt, output) = ("BwcHBwcHBwcHBwcHBwcHBw", good.rsplit('$').next().unwrap());
        let odd = |head: &str, salt: &str, output: &str| format!("{head}${salt}${output}");
        for hash in [
            odd("$argon2id$v=19$m=262145,t=1,p=1", salt, output),
            odd("$argon2id$v=19$m=4294967295,t=1,p=1", salt, output),
            odd("$argon2id$v=19$m=8,t=11,p=1", salt, output),
            odd("$argon2id$v=19$m=8,t=0,p=1", salt, output),
            odd("$argon2id$v=19$m=1024,t=1,p=9", salt, output),
            odd("$argon2id$v=19$m=7,t=1,p=1", salt, output),
            odd("$argon2id$v=16$m=8,t=1,p=1", salt, output),
            odd("$argon2id$m=8,t=1,p=1", salt, output),
            odd("$argon2i$v=19$m=8,t=1,p=1", salt, output),
            odd("$argon2d$v=19$m=8,t=1,p=1", salt, output),
            odd("$argon2id$v=19$m=8,t=1", salt, output),
            odd("$argon2id$v=19$m=8,t=1,p=1,keyid=AAAA", salt, output),
            odd("$argon2id$v=19$m=8,t=1,p=1,data=AAAA", salt, output),
            odd("$argon2id$v=19$m=8,t=1,p=1", "BwcH", output),
            odd("$argon2id$v=19$m=8,t=1,p=1", salt, "AAAAAAAAAAAAAA"),
            odd("$argon2id$v=19$m=8,t=1,p=1", salt, &"A".repeat(88)),
            good.replace('+', "-").replace('$', "$$"),
            "$argon2id$v=19$m=8,t=1,p=1".to_owned(),
            "$argon2id$".to_owned(),
            "$argon2id$größe".to_owned(),
            String::new(),
        ] {
            assert!(!Argon2id::can_read(&hash), "{hash}");
            assert!(FAST.verify_password(b"correct", &hash).is_err(), "{hash}");
        }
    }
}
