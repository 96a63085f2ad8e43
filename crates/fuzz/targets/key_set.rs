//! Key sets: any document is refused or read, and what is read and written again is the same keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sme_pulse_auth::token::{Algorithm, KeyId, KeyRing, MAX_KEYS};

fn keys(ring: &KeyRing) -> Vec<(Option<&KeyId>, Algorithm, Option<&[u8]>)> {
    ring.iter().map(|key| (key.id(), key.algorithm(), key.public_bytes())).collect()
}

fn check(document: &[u8]) {
    let Ok(read) = KeyRing::from_jwks(document) else { return };
    assert!(read.len() <= MAX_KEYS);
    for (id, algorithm, bytes) in keys(&read) {
        assert!(id.is_some() && bytes.is_some() && !algorithm.is_symmetric());
    }
    let written = read.to_jwks();
    let again = KeyRing::from_jwks(written.as_bytes()).expect("what is written can be read");
    assert_eq!(keys(&read), keys(&again));
    assert_eq!(written, again.to_jwks());
}

fuzz_target!(|data: &[u8]| {
    check(data);
    // Alone in a set, so that the members of a key are reached sooner.
    check(&[br#"{"keys":["#, data, b"]}"].concat());
});
