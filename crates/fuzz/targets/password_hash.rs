//! Stored password hashes of all kinds: any text is judged without a panic, what is not read is never outdated and never
//! matches, and what is read is within the bounds of work that are promised. What is taken over from elsewhere can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use password_hash::PasswordVerifier as _;
use sme_pulse_auth::password::{Argon2id, Bcrypt, Hasher, to_stored};

/// More work than any hash that is read.
const TOO_MUCH: Argon2id = Argon2id::new(256 * 1_024, 11, 8);
/// More work than can be done for every input.
const LITTLE: Argon2id = Argon2id::new(64, 2, 1);

fuzz_target!(|text: &str| {
    let (bcrypt, argon2id) = (Bcrypt::can_read(text), Argon2id::can_read(text));
    assert!(!(bcrypt && argon2id));
    assert!(Hasher::can_read(text) || !(bcrypt || argon2id));
    if let Ok(stored) = to_stored(text) {
        assert!(Hasher::can_read(&stored) && stored.len() <= 255);
        assert_eq!(to_stored(&stored).as_ref(), Ok(&stored));
    }
    let configured = [Hasher::from(Bcrypt::new(4)), Hasher::from(Argon2id::OWASP)];
    if !Hasher::can_read(text) {
        for hasher in configured {
            assert!(!hasher.is_outdated(text) && hasher.verify_password(b"password", text).is_err());
        }
        return;
    }
    assert!(configured.iter().any(|hasher| hasher.is_outdated(text)));
    assert!(!argon2id || TOO_MUCH.is_cheaper(text));
    assert!(!bcrypt || (4..=15).any(|cost| !Bcrypt::new(cost).is_outdated(text)));
    if LITTLE.is_cheaper(text) || bcrypt && !Bcrypt::new(4).is_outdated(text) {
        let [first, second] = configured.map(|hasher| hasher.verify_password(b"password", text).is_ok());
        assert_eq!(first, second, "what is configured does not matter");
    }
});
