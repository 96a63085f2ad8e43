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
        let fair = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < FAIR);
        let characters = fair.filter_map(|byte| ALPHABET.get(byte % ALPHABET.len()));
        let left = LENGTH.saturating_sub(password.len());
        password.extend(characters.take(left).map(|byte| char::from(*byte)));
    }
    password
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::atomic::{AtomicU8, Ordering},
    };

    use super::*;

    /// Every byte in turn.
    struct Counting(AtomicU8);

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn every_character_has_the_same_chance_and_none_is_taken_for_another() {
        let rng = Counting(AtomicU8::new(0));
        let mut counts = BTreeMap::new();
        for _ in 0..550 {
            let password = draw(&rng);
            assert_eq!(password.chars().count(), LENGTH);
            for character in password.chars() {
                *counts.entry(character).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(counts.len(), ALPHABET.len());
        assert!("0O1Il".chars().all(|odd| !counts.contains_key(&odd)), "{counts:?}");
        // What is left of a draw that was full is thrown away, so the counts are near, not equal.
        let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
        assert!(*most <= *least + *least / 10, "{counts:?}");
    }

    #[test]
    fn bytes_that_would_be_unfair_are_left_out() {
        struct High(AtomicU8);
        impl Rng for High {
            fn fill(&self, bytes: &mut [u8]) {
                let round = self.0.fetch_add(1, Ordering::Relaxed);
                bytes.fill(if round == 0 { 255 } else { 219 });
            }
        }
        assert_eq!(draw(&High(AtomicU8::new(0))).as_str(), "z".repeat(LENGTH));
    }
}
