//! Texts that must not be seen, and what makes a signing key too weak.

use std::fmt;

use zeroize::Zeroizing;

/// A text whose `Debug` is `***` and whose memory is wiped when it goes.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a copy.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text itself; for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a key contains only when it is still the example it was copied from.
const PLACEHOLDERS: [&str; 14] = [
    "changeme",
    "changethis",
    "changeit",
    "placeholder",
    "replaceme",
    "replacethis",
    "replacewith",
    "yoursecret",
    "yoursuper",
    "yourkey",
    "yourrandom",
    "examplekey",
    "examplesecret",
    "insecure",
];
/// Words that weak keys are made of.
const WORDS: [&str; 17] = [
    "production",
    "development",
    "password",
    "default",
    "example",
    "please",
    "secret",
    "change",
    "passwd",
    "qwerty",
    "random",
    "token",
    "super",
    "your",
    "test",
    "key",
    "jwt",
];
/// How many characters must be left when those words and separators are taken out.
const LEAST_OWN: usize = 16;
/// How many different bytes a random key has at the very least.
const LEAST_DISTINCT: usize = 8;
/// A key that repeats a piece of up to this length is the piece, not the key.
const LONGEST_PERIOD: usize = 12;

/// The rule a signing key of at least `bytes` bytes breaks, if any.
pub(super) fn weakness(key: &str, bytes: usize) -> Option<String> {
    if key.len() < bytes {
        return Some(format!("must have at least {bytes} bytes"));
    }
    if distinct(key.as_bytes()) < LEAST_DISTINCT || repeats(key.as_bytes()) {
        return Some("must be random, not a repetition of a few characters".to_owned());
    }
    let mut own = Zeroizing::new(key.replace(['-', '_', '.', ' '], ""));
    own.make_ascii_lowercase();
    let copied = PLACEHOLDERS.iter().any(|placeholder| own.contains(placeholder));
    for word in WORDS {
        own = Zeroizing::new(own.replace(word, ""));
    }
    if copied || own.chars().count() < LEAST_OWN {
        return Some("must be random, not an example or a well-known word".to_owned());
    }
    None
}

fn distinct(key: &[u8]) -> usize {
    (0..=u8::MAX).filter(|byte| key.contains(byte)).count()
}

fn repeats(key: &[u8]) -> bool {
    (1..=LONGEST_PERIOD).any(|period| {
        let shifted = key.iter().skip(period);
        period < key.len() && shifted.zip(key).all(|(later, earlier)| later == earlier)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_shows_a_secret() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }

    #[test]
    fn well_known_repeated_and_example_keys_are_weak() {
        for key in [
            "change-me-change-me-change-me-change-me",
            "change_me_in_production_and_use_a_long_value_here",
            "secretsecretsecretsecretsecretsecret",
            "password1234password1234password1234",
            "secret-password-secret-password-secret",
            "your-super-secret-key-change-in-production",
            "this-is-an-example-secret-for-your-jwt-token",
            "<replace-with-64-random-characters-from-openssl>",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababababab",
            "01234567890123456789012345678901234567890",
        ] {
            assert!(weakness(key, 32).is_some(), "{key}");
        }
    }

    #[test]
    fn a_key_is_measured_in_bytes_by_its_algorithm() {
        let key = "k9Qw2Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpE";
        assert_eq!(weakness(key, 32), None);
        assert_eq!(weakness(&key[..31], 32).unwrap(), "must have at least 32 bytes");
        assert_eq!(weakness(key, 48).unwrap(), "must have at least 48 bytes");
        assert_eq!(weakness("ключевые-данные-42", 32), None);
    }

    proptest! {
        #[test]
        fn random_keys_are_accepted(bytes in any::<[u8; 32]>(), printable in "[!-~]{40}") {
            let hex = bytes.map(|byte| format!("{byte:02x}")).concat();
            // A run of one byte is possible, if hardly ever, and is rightly refused.
            prop_assume!(distinct(hex.as_bytes()) > 9 && distinct(printable.as_bytes()) > 15);
            prop_assert_eq!(weakness(&hex, 64), None);
            prop_assert_eq!(weakness(&printable, 32), None);
        }
    }
}
