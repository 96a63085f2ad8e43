//! The form of keys: what is read, that there is one spelling of each, and that nothing foreign panics.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};

use proptest::{prop_assert_eq, proptest};

use super::*;

/// Other bytes at each call.
#[derive(Default)]
struct Counting(AtomicU8);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(37, Ordering::Relaxed));
    }
}

struct Always(u8);

impl Rng for Always {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn key() -> KeyText {
    KeyText::generate(KeyKind::Organization, &Counting::default())
}

#[test]
fn the_checksum_is_the_crc_of_gzip() {
    // The check value of CRC-32: cbf43926 for these nine digits.
    assert_eq!(checksum(b"123456789"), base62(&mut 0xCBF4_3926_u32.to_be_bytes(), CHECKSUM));
    assert_eq!(base62(&mut [1, 0], 3), "048");
}

#[test]
fn a_key_reads_back_as_itself_and_fits_its_form_whatever_the_randomness() {
    let generators: [&dyn Rng; 3] = [&Counting::default(), &Always(0), &Always(255)];
    for (rng, kind) in generators.into_iter().flat_map(|rng| [(rng, KeyKind::Organization), (rng, KeyKind::Service)]) {
        let made = KeyText::generate(kind, rng);
        assert_eq!(made.expose().len(), LENGTH);
        let read = KeyText::parse(made.expose()).unwrap();
        assert_eq!((&read, read.kind(), read.hash()), (&made, kind, made.hash()));
        assert_eq!(made.expose().get(MARK..MARK + PREFIX), Some(made.prefix().as_str()));
        assert_eq!((made.hash().len(), KeyPrefix::parse(made.prefix().as_str())), (HASH_DIGITS, Some(made.prefix())));
    }
}

#[test]
fn no_two_keys_are_alike() {
    let rng = Counting::default();
    let keys: Vec<_> = (0..100).map(|_| KeyText::generate(KeyKind::Organization, &rng)).collect();
    assert_eq!(keys.iter().map(KeyText::expose).collect::<BTreeSet<_>>().len(), 100);
}

#[test]
fn every_one_character_that_is_changed_missing_or_too_many_is_noticed() {
    let good = key().expose().to_owned();
    for place in 0..good.len() {
        for other in ["0", "z", "_", "-", "é", ""] {
            let mut text = good.clone();
            text.replace_range(place..=place, other);
            assert_eq!(KeyText::parse(&text).is_ok(), text == good, "{text}");
        }
        assert_eq!(KeyText::parse(&good[..place]), Err(MalformedKey));
    }
    for text in [format!("{good}0"), format!(" {good}"), format!("{good}\n"), good.to_lowercase(), good.to_uppercase()]
    {
        assert_eq!(KeyText::parse(&text), Err(MalformedKey), "{text}");
    }
    assert_eq!(KeyText::parse(&good.replace("smep_", "smes_")), Err(MalformedKey), "the mark is under the checksum");
    assert_eq!(KeyText::parse(&"smep_".repeat(1_000_000)), Err(MalformedKey));
}

#[test]
fn debug_and_errors_show_no_secret() {
    let key = key();
    let shown = format!("{key:?} {MalformedKey}");
    let secret = key.expose().get(MARK + PREFIX + 1..).unwrap();
    for start in 0..secret.len() - 8 {
        assert!(!shown.contains(&secret[start..start + 8]), "{shown}");
    }
    assert!(shown.contains(key.prefix().as_str()));
}

proptest! {
    #[test]
    fn whatever_is_read_is_spelled_as_it_was_read(text in "\\PC*|sme[ps]_[0-9A-Za-z]{12}_[0-9A-Za-z]{43,49}") {
        if let Ok(key) = KeyText::parse(&text) {
            prop_assert_eq!(key.expose(), text);
        }
    }

    #[test]
    fn any_characters_with_their_checksum_are_a_key(body in "sme[ps]_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}") {
        let text = format!("{body}{}", checksum(body.as_bytes()));
        let read = KeyText::parse(&text).unwrap();
        prop_assert_eq!(read.expose(), &text);
    }
}
