//! Passwords: hashing behind the traits of `password-hash`, on a bounded pool of its own.

mod applicant;
mod argon2id_hash;
mod bcrypt_hash;
mod figures;
mod hasher;
mod imported;
mod pbkdf2_hash;
mod pool;
mod queue;

use std::sync::{Arc, OnceLock};

use password_hash::{PasswordHasher, PasswordVerifier};
use sme_pulse_domain::{clock::Clock, rng::Rng};
use zeroize::Zeroizing;

pub use applicant::{Applicant, Lane, Standing};
pub use argon2id_hash::{Argon2id, MAX_ARGON2ID_BYTES};
pub use bcrypt_hash::{Bcrypt, MAX_PASSWORD_BYTES};
pub use figures::{PoolFigures, WAIT_BOUNDS};
pub use hasher::Hasher;
pub use imported::{ForeignHash, to_stored};
pub use pool::{HashPool, Overloaded, PoolSettings};

/// The outcome of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It matches.
    Match {
        /// Whether the stored hash was made by another algorithm or at another cost and should be replaced.
        outdated: bool,
    },
    /// It does not match.
    Mismatch,
    /// The stored hash cannot be read: a mismatch, and something for the log.
    Unreadable,
}

/// Why a password cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many hashes are waiting.
    #[error("{0}")]
    Overloaded(#[from] Overloaded),
    /// Longer than the hash can take, or containing NUL: bcrypt would silently drop or stop there.
    #[error("the password cannot be hashed")]
    Unusable,
}

/// Hashes and verifies passwords, always on the pool, always at the same cost.
pub struct Passwords {
    hasher: Hasher,
    pool: HashPool,
    rng: Arc<dyn Rng>,
    decoy: Arc<Decoy>,
}

/// The service itself.
const OWN: Applicant = Applicant { standing: Standing::Proven, network: None, lane: None };

/// The hash that is compared with when there is nothing to compare with, so that unknown users cost the same as known
/// ones. It is made with the real cost, as the pool's first work.
#[derive(Default)]
struct Decoy(OnceLock<String>);

impl Decoy {
    fn get(&self, hasher: Hasher) -> &str {
        // Nobody has to guess what it was made of: a match with the decoy is never looked at.
        self.0.get_or_init(|| hasher.hash_password_with_salt(b"decoy", &[0; 16]).unwrap_or_default())
    }

    fn verify(&self, hasher: Hasher, password: &str) {
        let _ = hasher.verify_password(password.as_bytes(), self.get(hasher));
    }
}

impl Passwords {
    /// Starts the pool. New hashes are made by this hasher.
    pub fn start(
        hasher: impl Into<Hasher>,
        settings: PoolSettings,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> std::io::Result<Self> {
        let (hasher, pool) = (hasher.into(), HashPool::start(settings, clock)?);
        let decoy = Arc::<Decoy>::default();
        let first = Arc::clone(&decoy);
        pool.submit(OWN, move || {
            first.get(hasher);
        });
        Ok(Self { hasher, pool, rng, decoy })
    }

    /// Longest password in bytes that can be set.
    pub const fn max_bytes(&self) -> usize {
        self.hasher.max_password_bytes()
    }

    /// Hashes a new password.
    pub async fn hash(&self, applicant: Applicant, password: Zeroizing<String>) -> Result<String, HashError> {
        let (hasher, salt) = (self.hasher, salt(&*self.rng));
        let hash = self.pool.run(applicant, move || hasher.hash_password_with_salt(password.as_bytes(), &salt)).await?;
        hash.map_err(|_| HashError::Unusable)
    }

    /// Refuses when there is no place for the applicant at this moment, before anything else is done in vain.
    pub fn has_room(&self, applicant: Applicant) -> Result<(), Overloaded> {
        self.pool.has_room(applicant)
    }

    /// What the pool is doing, and has done since it was started.
    pub fn figures(&self) -> PoolFigures {
        self.pool.figures()
    }

    /// Compares a password with a stored hash, or does the same work for `None`.
    pub async fn verify(
        &self,
        applicant: Applicant,
        password: Zeroizing<String>,
        stored: Option<String>,
    ) -> Result<Verdict, Overloaded> {
        let (hasher, decoy) = (self.hasher, Arc::clone(&self.decoy));
        self.pool.run(applicant, move || compare(hasher, &password, stored.as_deref(), &decoy)).await
    }
}

fn compare(hasher: Hasher, password: &str, stored: Option<&str>, decoy: &Decoy) -> Verdict {
    let Some(stored) = stored else {
        decoy.verify(hasher, password);
        return Verdict::Mismatch;
    };
    if !Hasher::can_read(stored) {
        decoy.verify(hasher, password);
        return Verdict::Unreadable;
    }
    let matches = hasher.verify_password(password.as_bytes(), stored).is_ok();
    hasher.catch_up(stored, || decoy.verify(hasher, password));
    if matches { Verdict::Match { outdated: hasher.is_outdated(stored) } } else { Verdict::Mismatch }
}

fn salt(rng: &dyn Rng) -> [u8; 16] {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    salt
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASHER: Hasher = Hasher::Bcrypt(Bcrypt::new(4));
    const ARGON2ID: Hasher = Hasher::Argon2id(Argon2id::new(8, 1, 1));

    fn stored(cost: u32) -> String {
        Bcrypt::new(cost).hash_password_with_salt(b"correct", &[7; 16]).unwrap()
    }

    fn verdict(password: &str, stored: Option<&str>) -> Verdict {
        compare(HASHER, password, stored, &Decoy::default())
    }

    #[test]
    fn a_match_says_whether_the_hash_has_another_cost() {
        assert_eq!(verdict("correct", Some(&stored(4))), Verdict::Match { outdated: false });
        assert_eq!(verdict("correct", Some(&stored(5))), Verdict::Match { outdated: true });
    }

    #[test]
    fn a_cheaper_hash_costs_as_much_as_none() {
        let hasher = Hasher::from(Bcrypt::new(9));
        let decoy = Decoy::default();
        let _ = decoy.get(hasher);
        let fastest = |stored: Option<&str>| {
            let clock = sme_pulse_domain::clock::SystemClock::default();
            let once = |_| {
                let start = clock.monotonic();
                assert_eq!(compare(hasher, "wrong", stored, &decoy), Verdict::Mismatch);
                clock.monotonic().saturating_sub(start)
            };
            (0..8).map(once).min().unwrap()
        };
        // Without the extra work the quotient is 32.
        let (cheap, none) = (fastest(Some(&stored(4))), fastest(None));
        assert!(cheap * 4 > none && none * 4 > cheap, "{cheap:?} and {none:?}");
    }

    #[test]
    fn both_kinds_match_whatever_is_configured_and_the_other_one_is_outdated() {
        let hash_of = |hasher: Hasher| hasher.hash_password_with_salt(b"correct", &[7; 16]).unwrap();
        for (hasher, other) in [(HASHER, ARGON2ID), (ARGON2ID, HASHER)] {
            let judged = |password, stored: &str| compare(hasher, password, Some(stored), &Decoy::default());
            assert_eq!(judged("correct", &hash_of(hasher)), Verdict::Match { outdated: false });
            assert_eq!(judged("correct", &hash_of(other)), Verdict::Match { outdated: true });
            assert_eq!(judged("wrong", &hash_of(other)), Verdict::Mismatch);
            assert_eq!(judged("decoy", &hash_of(other)), Verdict::Mismatch);
        }
        let stronger = hash_of(Argon2id::new(16, 1, 1).into());
        assert_eq!(compare(ARGON2ID, "correct", Some(&stronger), &Decoy::default()), Verdict::Match { outdated: true });
    }

    #[test]
    fn a_weaker_or_foreign_hash_is_followed_by_the_decoys_work() {
        for (hasher, stored, expected) in [
            (ARGON2ID, stored(4), true),
            (HASHER, stored(4), false),
            (ARGON2ID, Argon2id::new(8, 1, 1).hash_password_with_salt(b"x", &[7; 16]).unwrap(), false),
            (
                Argon2id::new(8, 2, 1).into(),
                Argon2id::new(8, 1, 1).hash_password_with_salt(b"x", &[7; 16]).unwrap(),
                true,
            ),
            (HASHER, Argon2id::new(8, 1, 1).hash_password_with_salt(b"x", &[7; 16]).unwrap(), true),
        ] {
            let mut worked = false;
            hasher.catch_up(&stored, || worked = true);
            assert_eq!(worked, expected, "{hasher:?} {stored}");
        }
    }

    #[test]
    fn nothing_but_the_exact_password_matches() {
        let hash = stored(4);
        for wrong in ["Correct", "correct ", "correct\0", "", "correct\0x"] {
            assert_eq!(verdict(wrong, Some(&hash)), Verdict::Mismatch, "{wrong:?}");
        }
        assert_eq!(verdict("correct", None), Verdict::Mismatch);
        assert_eq!(verdict("decoy", None), Verdict::Mismatch);
    }

    #[test]
    fn bytes_beyond_the_72nd_are_not_dropped() {
        let longest = "x".repeat(MAX_PASSWORD_BYTES);
        let hash = HASHER.hash_password_with_salt(longest.as_bytes(), &[1; 16]).unwrap();
        assert_eq!(verdict(&longest, Some(&hash)), Verdict::Match { outdated: false });
        assert_eq!(verdict(&format!("{longest}y"), Some(&hash)), Verdict::Mismatch);
        assert!(HASHER.hash_password_with_salt(format!("{longest}y").as_bytes(), &[1; 16]).is_err());
    }

    #[test]
    fn broken_and_absurd_hashes_are_unreadable_not_computed() {
        for broken in [
            "",
            "plain",
            &stored(4).replace("$2b$", "$2x$"),
            "$2b$31$1111111111111111111111111111111111111111111111111111",
            "$2b$04$short",
        ] {
            assert_eq!(verdict("correct", Some(broken)), Verdict::Unreadable, "{broken:?}");
        }
    }
}
