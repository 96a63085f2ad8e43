//! What a shared count is filed under: the same in every replica, and no address or number of a user in clear text.

use std::{fmt::Display, hash::Hash};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// Begins every key, so that an access rule of Redis can name them.
const PREFIX: &str = "sme-pulse:limit";
/// Bytes of the digest that are kept: two of 2⁶⁴ clients would share a budget.
const KEPT: usize = 16;

/// What requests are counted by. Its text is the same in every replica, and no other key of its budget has it.
pub trait BudgetKey: Hash + Eq + Copy + Display + 'static {}

impl<K: Hash + Eq + Copy + Display + 'static> BudgetKey for K {}

/// The key of one list in Redis. Digested, so that what others see in passing (`MONITOR`, a slow log, a dump) names nobody,
/// and every key has one length and no characters of its own. It hides nothing from who tries all addresses.
pub(super) fn filed(budget: &str, key: &impl Display) -> String {
    let digest = Sha256::digest(key.to_string());
    let kept = digest.get(..KEPT).unwrap_or_default();
    format!("{PREFIX}:{budget}:{}", BASE64_URL_SAFE_NO_PAD.encode(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_says_nothing_and_never_changes() {
        assert_eq!(filed("login", &"192.0.2.1"), "sme-pulse:limit:login:N_z_JL9iA1srCAIK_Ai0_g");
        assert_ne!(filed("login", &"192.0.2.1"), filed("login", &"192.0.2.2"));
        assert_ne!(filed("login", &"192.0.2.1"), filed("reset", &"192.0.2.1"));
    }
}
