//! bcrypt behind the traits of `password-hash`. Passwords that bcrypt would cut are refused, never truncated.

use password_hash::{Error, PasswordHasher, PasswordVerifier, Result};

/// Longest password in bytes; bcrypt ignores what comes after.
pub const MAX_PASSWORD_BYTES: usize = 72;
/// Highest cost of a stored hash that is computed: beyond it one log-in would block the pool for minutes.
const MAX_COST: u32 = 15;

/// bcrypt at one cost; the form it writes is `$2b$`, `$2a$` and `$2y$` are read.
#[derive(Debug, Clone, Copy)]
pub struct Bcrypt {
    cost: u32,
}

impl Bcrypt {
    /// A hasher of this cost: the work is 2^cost rounds.
    pub const fn new(cost: u32) -> Self {
        Self { cost }
    }

    /// Whether a stored hash is one that this module reads, of a cost it is willing to compute.
    pub fn can_read(stored: &str) -> bool {
        cost_of(stored).is_some_and(|cost| (4..=MAX_COST).contains(&cost))
    }

    /// Whether a readable hash was made with another cost.
    pub fn is_outdated(&self, stored: &str) -> bool {
        cost_of(stored).is_some_and(|cost| cost != self.cost)
    }

    /// The work that comparing with a cheaper hash has saved, so that its user cannot be told from one without a
    /// hash: 2^c rounds for every cost from the stored one up to, but without, this one add up to the difference.
    pub fn catch_up(&self, stored: &str) {
        for cost in cost_of(stored).unwrap_or(self.cost)..self.cost {
            let _ = bcrypt::hash_with_salt(b"decoy", cost, [0; 16]);
        }
    }
}

/// `$2x$` marks hashes of a flawed implementation, which compared passwords that differ.
fn cost_of(stored: &str) -> Option<u32> {
    if !["$2a$", "$2b$", "$2y$"].iter().any(|form| stored.starts_with(form)) {
        return None;
    }
    stored.parse::<bcrypt::HashParts>().ok().map(|parts| parts.get_cost())
}

impl PasswordHasher<String> for Bcrypt {
    fn hash_password_with_salt(&self, password: &[u8], salt: &[u8]) -> Result<String> {
        let salt = salt.try_into().map_err(|_| Error::SaltInvalid)?;
        if password.len() > MAX_PASSWORD_BYTES || password.contains(&0) {
            return Err(Error::PasswordInvalid);
        }
        let parts = bcrypt::hash_with_salt(password, self.cost, salt).map_err(|_| Error::Crypto)?;
        Ok(parts.format_for_version(bcrypt::Version::TwoB))
    }
}

impl PasswordVerifier<str> for Bcrypt {
    fn verify_password(&self, password: &[u8], stored: &str) -> Result<()> {
        // The work is done even when the answer is known, so that its duration tells nothing.
        let matches = bcrypt::verify(password, stored).map_err(|_| Error::EncodingInvalid)?;
        let usable = password.len() <= MAX_PASSWORD_BYTES && !password.contains(&0);
        if matches && usable { Ok(()) } else { Err(Error::PasswordInvalid) }
    }
}
