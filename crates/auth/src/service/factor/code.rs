//! What people type: six digits of an authenticator app, or a recovery code. Recovery codes are 80 random bits in
//! Crockford's base32, which has no letters that look alike; letter case, hyphens and spaces do not matter.

use sha2::{Digest as _, Sha256};
use sme_pulse_domain::{hex::hex, rng::Rng};
use zeroize::Zeroizing;

use super::totp;

/// Recovery codes a user is given at once.
pub(super) const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code, of 5 bits each.
const CHARACTERS: usize = 16;
/// Characters between two hyphens.
const GROUP: usize = 4;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code by its form. There is no `Debug`: codes are not for logs.
pub(super) enum Code {
    /// Six digits.
    OneTime(Zeroizing<String>),
    /// The hash of a recovery code.
    Recovery(String),
}

impl Code {
    /// Reads a code; `None` for what has neither form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let typed = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(CHARACTERS.saturating_add(1));
        let typed = Zeroizing::new(typed.collect::<String>());
        if typed.len() == totp::DIGITS && typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::OneTime(typed));
        }
        let canonical = typed.chars().map(canonical).collect::<Option<String>>().map(Zeroizing::new)?;
        (canonical.len() == CHARACTERS).then(|| Self::Recovery(hash(canonical.as_bytes())))
    }
}

/// A new recovery code, as it is shown.
pub(super) fn new_recovery_code(rng: &dyn Rng) -> Zeroizing<String> {
    let mut random = Zeroizing::new([0; CHARACTERS]);
    rng.fill(random.as_mut_slice());
    let mut code = Zeroizing::new(String::with_capacity(CHARACTERS.saturating_add(CHARACTERS)));
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place.is_multiple_of(GROUP) {
            code.push('-');
        }
        // Five bits of each byte: all characters are equally likely.
        code.extend(ALPHABET.get(usize::from(byte & 31)).map(|character| char::from(*character)));
    }
    code
}

/// What is stored of a random value: nobody can guess 80 bits, so the hash needs neither salt nor key.
pub(super) fn hash(value: &[u8]) -> String {
    hex(&Sha256::digest(value))
}

/// The character that is meant; `None` for those the alphabet lacks.
fn canonical(typed: char) -> Option<char> {
    let upper = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().any(|known| char::from(*known) == upper).then_some(upper)
}

#[cfg(test)]
mod tests {
    use proptest::proptest;

    use super::*;

    struct Counting;

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (value, byte) in (0_u8..).zip(bytes) {
                *byte = value.wrapping_mul(37).wrapping_add(200);
            }
        }
    }

    fn recovery(text: &str) -> Option<String> {
        match Code::read(text) {
            Some(Code::Recovery(hash)) => Some(hash),
            _ => None,
        }
    }

    #[test]
    fn a_recovery_code_is_recognised_however_it_is_typed() {
        let code = new_recovery_code(&Counting);
        assert_eq!(code.len(), 19, "{}", *code);
        assert!(code.split('-').all(|group| group.len() == 4), "{}", *code);
        let stored = recovery(&code).unwrap();
        for typed in [code.to_lowercase(), code.replace('-', ""), code.replace('-', " "), format!("  {}\t", *code)] {
            assert_eq!(recovery(&typed).as_ref(), Some(&stored), "{typed}");
        }
        assert_eq!(recovery("0101-0101-0101-0101"), recovery("oIoL OIoi OlOL 01OI"));
        assert_ne!(recovery("0101-0101-0101-0101"), Some(stored));
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn digits_may_be_grouped_and_nothing_else_has_a_form() {
        for typed in ["123456", "123 456", " 12-34-56 ", "1 2 3 4 5 6"] {
            assert!(matches!(Code::read(typed), Some(Code::OneTime(code)) if code.as_str() == "123456"), "{typed}");
        }
        let long = "1".repeat(1 << 20);
        let blank = " ".repeat(1 << 20);
        for odd in [
            "",
            "12345",
            "1234567",
            "１２３４５６",
            "٠١٢٣٤٥",
            "12345\u{0}",
            "UUUU-UUUU-UUUU-UUUU",
            "ÄBCD-EFGH-JKMN-PQRS",
            &long,
            &blank,
        ] {
            assert!(Code::read(odd).is_none(), "{}", odd.chars().take(20).collect::<String>());
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_is_a_panic(text in ".{0,40}") {
            let _ = Code::read(&text);
        }
    }
}
