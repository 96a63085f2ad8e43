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

/// Words that placeholders and examples are made of, longer ones before the words they contain.
const WORDS: [&str; 22] = [
    "placeholder",
    "production",
    "development",
    "password",
    "changeit",
    "insecure",
    "changeme",
    "replace",
    "example",
    "default",
    "secret",
    "please",
    "change",
    "passwd",
    "token",
    "qwerty",
    "your",
    "this",
    "test",
    "key",
    "jwt",
    "me",
];
/// How many letters and digits must be left when those words are taken out.
const LEAST_OWN: usize = 12;
/// How many different bytes a random key has at the very least.
const LEAST_DISTINCT: usize = 8;
/// A key that repeats a piece of up to this length is the piece, not the key.
const LONGEST_PERIOD: usize = 10;

/// The rule a signing key of at least `bytes` bytes breaks, if any.
pub(super) fn weakness(key: &str, bytes: usize) -> Option<String> {
    if key.len() < bytes {
        return Some(format!("must have at least {bytes} bytes"));
    }
    let mut distinct = [false; 256];
    for byte in key.bytes() {
        if let Some(seen) = distinct.get_mut(usize::from(byte)) {
            *seen = true;
        }
    }
    if distinct.iter().filter(|seen| **seen).count() < LEAST_DISTINCT || repeats(key.as_bytes()) {
        return Some("must be random, not a repetition of a few characters".to_owned());
    }
    if own_characters(key) < LEAST_OWN {
        return Some("must be random, not an example or a well-known word".to_owned());
    }
    None
}

fn repeats(key: &[u8]) -> bool {
    (1..=LONGEST_PERIOD).any(|period| {
        let shifted = key.iter().skip(period);
        period < key.len() && shifted.zip(key).all(|(later, earlier)| later == earlier)
    })
}

fn own_characters(key: &str) -> usize {
    let mut rest: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    rest.make_ascii_lowercase();
    for word in WORDS {
        rest = rest.replace(word, "");
    }
    let others = key.chars().filter(|c| !c.is_ascii()).count();
    rest.len().saturating_add(others)
}
