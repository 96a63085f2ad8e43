//! Passwords that are read out or copied from a screen once.

use sme_pulse_domain::rng::Rng;
use zeroize::Zeroizing;

/// Characters of one.
const LENGTH: usize = 16;

/// Letters and digits that nobody takes for one another; together 92 bits.
const ALPHABET: &[u8; 55] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstvwxyz";

/// Bytes from here on would make the first characters likelier than the last.
const FAIR: usize = 256 - 256 % ALPHABET.len();

/// 16 characters, each with the same chance.
pub(super) fn draw(rng: &dyn Rng) -> Zeroizing<String> {
    let mut password = Zeroizing::new(String::with_capacity(LENGTH));
    let mut bytes = Zeroizing::new([0; LENGTH]);
    while password.len() < LENGTH {
        rng.fill(bytes.as_mut_slice());
        let left = LENGTH.saturating_sub(password.len());
        password.extend(bytes.iter().copied().filter_map(character).take(left));
    }
    password
}

/// `None` for a byte to be drawn again.
fn character(byte: u8) -> Option<char> {
    let byte = Some(usize::from(byte)).filter(|byte| *byte < FAIR)?;
    ALPHABET.get(byte % ALPHABET.len()).map(|character| char::from(*character))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::atomic::{AtomicU8, Ordering},
    };

    use super::*;

    #[test]
    fn every_character_has_the_same_chance_and_none_is_taken_for_another() {
        let mut counts = BTreeMap::new();
        for character in (0..=u8::MAX).filter_map(character) {
            *counts.entry(character).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), ALPHABET.len());
        assert!(counts.values().all(|count| *count == 4), "{counts:?}");
        assert!("0Oo1Il".chars().all(|odd| !counts.contains_key(&odd)), "{counts:?}");
    }

    #[test]
    fn bytes_that_would_be_unfair_are_drawn_again() {
        /// Half of the first draw is no good.
        struct Rounds(AtomicU8);
        impl Rng for Rounds {
            fn fill(&self, bytes: &mut [u8]) {
                let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
                bytes.fill(219);
                if first {
                    bytes[..8].fill(220);
                    bytes[8..].fill(0);
                }
            }
        }
        assert_eq!(draw(&Rounds(AtomicU8::new(0))).as_str(), "22222222zzzzzzzz");
    }
}
