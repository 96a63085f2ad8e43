//! Passwords: hashing behind the traits of `password-hash`, on a bounded pool of its own.

mod bcrypt_hash;
mod pool;

use std::sync::Arc;

use password_hash::{PasswordHasher, PasswordVerifier};
use sme_pulse_domain::{clock::Clock, rng::Rng};

pub use bcrypt_hash::{Bcrypt, MAX_PASSWORD_BYTES};
pub use pool::{HashPool, Overloaded, PoolSettings};

/// The outcome of comparing a password with a stored hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It matches; the new hash is there when the stored one was outdated.
    Match {
        /// To be stored in place of the old one.
        renewed: Option<String>,
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
    /// Longer than 72 bytes or containing NUL: bcrypt would silently drop or stop there.
    #[error("the password cannot be hashed")]
    Unusable,
}

/// Hashes and verifies passwords, always on the pool, always at the same cost.
pub struct Passwords {
    hasher: Bcrypt,
    pool: HashPool,
    rng: Arc<dyn Rng>,
    /// Compared with when there is nothing to compare with, so that unknown users cost the same as known ones.
    decoy: String,
}

impl Passwords {
    /// Starts the pool and makes the decoy, which takes as long as one hash.
    pub fn start(
        hasher: Bcrypt,
        settings: PoolSettings,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, HashError> {
        let pool = HashPool::start(settings, clock).map_err(|_| Overloaded)?;
        let decoy = hasher.hash_password_with_salt(b"decoy", &salt(&*rng)).map_err(|_| HashError::Unusable)?;
        Ok(Self { hasher, pool, rng, decoy })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: String) -> Result<String, HashError> {
        let (hasher, salt) = (self.hasher, salt(&*self.rng));
        let hash = self.pool.run(move || hasher.hash_password_with_salt(password.as_bytes(), &salt)).await?;
        hash.map_err(|_| HashError::Unusable)
    }

    /// Compares a password with a stored hash, or does the same work for `None`.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<Verdict, Overloaded> {
        let (hasher, decoy, salt) = (self.hasher, self.decoy.clone(), salt(&*self.rng));
        self.pool.run(move || compare(hasher, &password, stored.as_deref(), &decoy, &salt)).await
    }
}

fn compare(hasher: Bcrypt, password: &str, stored: Option<&str>, decoy: &str, salt: &[u8; 16]) -> Verdict {
    let Some(stored) = stored else {
        let _ = hasher.verify_password(password.as_bytes(), decoy);
        return Verdict::Mismatch;
    };
    if !Bcrypt::can_read(stored) {
        let _ = hasher.verify_password(password.as_bytes(), decoy);
        return Verdict::Unreadable;
    }
    if hasher.verify_password(password.as_bytes(), stored).is_err() {
        return Verdict::Mismatch;
    }
    let renewed =
        (hasher.is_outdated(stored)).then(|| hasher.hash_password_with_salt(password.as_bytes(), salt).ok()).flatten();
    Verdict::Match { renewed }
}

fn salt(rng: &dyn Rng) -> [u8; 16] {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    salt
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASHER: Bcrypt = Bcrypt::new(4);

    fn stored(cost: u32) -> String {
        Bcrypt::new(cost).hash_password_with_salt(b"correct", &[7; 16]).unwrap()
    }

    fn verdict(password: &str, stored: Option<&str>) -> Verdict {
        compare(HASHER, password, stored, &super::tests::stored(4), &[9; 16])
    }

    #[test]
    fn a_match_renews_an_outdated_hash_and_only_that() {
        assert_eq!(verdict("correct", Some(&stored(4))), Verdict::Match { renewed: None });
        let Verdict::Match { renewed: Some(renewed) } = verdict("correct", Some(&stored(5))) else {
            panic!("an outdated cost is renewed")
        };
        assert_eq!(verdict("correct", Some(&renewed)), Verdict::Match { renewed: None });
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
        assert_eq!(verdict(&longest, Some(&hash)), Verdict::Match { renewed: None });
        assert_eq!(verdict(&format!("{longest}y"), Some(&hash)), Verdict::Mismatch);
        assert!(HASHER.hash_password_with_salt(format!("{longest}y").as_bytes(), &[1; 16]).is_err());
    }

    #[test]
    fn broken_and_absurd_hashes_are_unreadable_not_computed() {
        for broken in ["", "plain", "$2b$31$1111111111111111111111111111111111111111111111111111", "$2b$04$short"] {
            assert_eq!(verdict("correct", Some(broken)), Verdict::Unreadable, "{broken:?}");
        }
    }
}
