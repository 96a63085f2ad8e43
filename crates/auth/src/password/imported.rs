//! Hashes as other programs write them, and the form in which they are stored here.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};

use super::{
    Hasher,
    pbkdf2_hash::{Digest, ITERATIONS, Parts},
};

/// What the column takes.
const LONGEST: usize = 255;

/// Why a hash is not taken over. The sentence never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignHash {
    /// None of the known forms.
    #[error(
        "password_hash must be bcrypt ($2a$, $2b$, $2y$, cost 4 to 15), Argon2 version 19 (at most 256 MiB, 10 passes, 8 lanes) or \
         PBKDF2 with SHA-256 or SHA-512"
    )]
    Unknown,
    /// PBKDF2 that is too weak to be kept or too costly to be computed.
    #[error("password_hash must have from {} to {} iterations", ITERATIONS.start(), ITERATIONS.end())]
    Iterations,
}

/// The stored form of a hash that another program made: bcrypt and Argon2 as they are, PBKDF2 of PHC, passlib and Django in one form.
///
/// ```
/// use sme_pulse_auth::password::to_stored;
///
/// let django = "pbkdf2_sha256$1000$salt$Kuc4n5tfNTUaTtB6jFTFyE3+VBqJz2m7t8ahGV7jrWg=";
/// assert!(to_stored(django).is_ok_and(|stored| stored.starts_with("$pbkdf2-sha256$i=1000$")));
/// assert!(to_stored("secret").is_err());
/// ```
pub fn to_stored(text: &str) -> Result<String, ForeignHash> {
    let stored = match django(text).or_else(|| passlib(text)) {
        Some(parts) if !ITERATIONS.contains(&parts.iterations) => return Err(ForeignHash::Iterations),
        Some(parts) if parts.is_bounded() => parts.stored(),
        Some(_) => return Err(ForeignHash::Unknown),
        None => text.to_owned(),
    };
    if stored.len() <= LONGEST && Hasher::can_read(&stored) { Ok(stored) } else { Err(ForeignHash::Unknown) }
}

/// `pbkdf2_sha256$600000$salt$hash`: the salt is a text, the hash has padding.
fn django(text: &str) -> Option<Parts> {
    let (digest, rest) = match text.split_once('$')? {
        ("pbkdf2_sha256", rest) => (Digest::Sha256, rest),
        ("pbkdf2_sha512", rest) => (Digest::Sha512, rest),
        _ => return None,
    };
    let mut fields = rest.split('$');
    let iterations = fields.next()?.parse().ok()?;
    let salt = fields.next()?.as_bytes().to_vec();
    let output = STANDARD.decode(fields.next()?).ok()?;
    fields.next().is_none().then_some(Parts { digest, iterations, salt, output })
}

/// `$pbkdf2-sha256$29000$salt$hash` with `.` for `+`, and the PHC form `$pbkdf2-sha256$i=29000,l=32$salt$hash`.
fn passlib(text: &str) -> Option<Parts> {
    let mut fields = text.strip_prefix('$')?.split('$');
    let digest = match fields.next()? {
        "pbkdf2-sha256" => Digest::Sha256,
        "pbkdf2-sha512" => Digest::Sha512,
        _ => return None,
    };
    let rounds = fields.next()?;
    let (iterations, length) = match rounds.strip_prefix("i=") {
        Some(phc) => match phc.split_once(",l=") {
            Some((iterations, length)) => (iterations, Some(length.parse::<usize>().ok()?)),
            None => (phc, None),
        },
        None => (rounds, None),
    };
    let mut bytes = || STANDARD_NO_PAD.decode(fields.next()?.replace('.', "+")).ok();
    let (salt, output) = (bytes()?, bytes()?);
    let whole = fields.next().is_none() && length.is_none_or(|length| length == output.len());
    whole.then_some(Parts { digest, iterations: iterations.parse().ok()?, salt, output })
}

#[cfg(test)]
mod tests {
    use password_hash::PasswordVerifier as _;

    use super::*;
    use crate::password::Bcrypt;

    const HASHER: Hasher = Hasher::Bcrypt(Bcrypt::new(4));

    /// Made by other programs: `hashlib.pbkdf2_hmac` of Python in the three spellings, and `argon2-cffi`. The password is
    /// `correct horse`.
    const FOREIGN: [&str; 6] = [
        "$pbkdf2-sha256$2000$yMnKy8zNzs/Q0dLT1NXW1w$EpvnsomSn0/DFYNCPeKkutYB8qA16UVvzMWXCxhQkA0",
        "$pbkdf2-sha256$i=2000,l=32$yMnKy8zNzs/Q0dLT1NXW1w$EpvnsomSn0/DFYNCPeKkutYB8qA16UVvzMWXCxhQkA0",
        "$pbkdf2-sha512$1500$yMnKy8zNzs/Q0dLT1NXW1w$IjlRsaB05Opl3.sHT2riJrHOj.0Jhvhm1qaBoMMNJZDzQaJM/MBI3mzd8IPNdy38Ttw72Nk.9yltnHKVFWEFcw",
        "pbkdf2_sha256$3000$Ab3dEfGh1jKl$ogsD7CUUt3Pyq4k2DPfS7KFhRZPn8JMRmQ5Oc6d1uRM=",
        "$argon2i$v=19$m=64,t=2,p=1$yMnKy8zNzs/Q0dLT1NXW1w$oZQPPhkldA3GEceB6UASqjUrxW1Lrw6c/Uu1OM+MVnI",
        "$argon2d$v=19$m=64,t=2,p=1$yMnKy8zNzs/Q0dLT1NXW1w$HXH8E6ilrEvPWypTBYsQvJy5cd+DShOBzFcpsG749LI",
    ];

    #[test]
    fn what_other_programs_wrote_is_read_and_outdated() {
        for text in FOREIGN {
            let stored = to_stored(text).unwrap();
            assert!(HASHER.verify_password(b"correct horse", &stored).is_ok(), "{text}");
            for wrong in [b"correct horsE".as_slice(), b"", b"correct horse\0"] {
                assert!(HASHER.verify_password(wrong, &stored).is_err(), "{text}");
            }
            assert!(HASHER.is_outdated(&stored), "{text}");
            assert_eq!(to_stored(&stored).as_ref(), Ok(&stored), "{text}");
            let mut worked = false;
            HASHER.catch_up(&stored, || worked = true);
            assert!(worked, "{text}");
        }
    }

    #[test]
    fn absurd_and_malformed_hashes_are_refused() {
        let output = "A".repeat(43);
        for (text, refusal) in [
            ("", ForeignHash::Unknown),
            ("correct horse", ForeignHash::Unknown),
            ("5f4dcc3b5aa765d61d8327deb882cf99", ForeignHash::Unknown),
            ("$2b$31$1111111111111111111111111111111111111111111111111111", ForeignHash::Unknown),
            (&format!("$pbkdf2-sha256$4294967295$c2FsdHNhbHQ${output}"), ForeignHash::Iterations),
            (&format!("$pbkdf2-sha256$2000001$c2FsdHNhbHQ${output}"), ForeignHash::Iterations),
            (&format!("$pbkdf2-sha256$999$c2FsdHNhbHQ${output}"), ForeignHash::Iterations),
            (&format!("pbkdf2_sha256$1$salt${output}="), ForeignHash::Iterations),
            (&format!("$pbkdf2-sha256$i=1000,l=31$c2FsdHNhbHQ${output}"), ForeignHash::Unknown),
            (&format!("$pbkdf2-sha1$1000$c2FsdHNhbHQ${output}"), ForeignHash::Unknown),
            (&format!("$pbkdf2-sha256$1000$${output}"), ForeignHash::Unknown),
            (&format!("$pbkdf2-sha256$1000$c2FsdHNhbHQ${output}$x"), ForeignHash::Unknown),
            ("$pbkdf2-sha256$1000$c2FsdHNhbHQ$AAAA", ForeignHash::Unknown),
            (&format!("$pbkdf2-sha256$1000$c2FsdHNhbHQ${}", "A".repeat(86)), ForeignHash::Unknown),
            (&format!("pbkdf2_sha256$1000${}${output}=", "s".repeat(65)), ForeignHash::Unknown),
            ("$argon2i$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", ForeignHash::Unknown),
            ("$argon2d$v=16$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", ForeignHash::Unknown),
        ] {
            assert_eq!(to_stored(text), Err(refusal), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_a_panic_and_what_is_taken_can_be_read(text in "\\PC{0,80}", tail in "[A-Za-z0-9+/.=$,]{0,80}") {
            for candidate in [text.clone(), format!("$pbkdf2-sha256${tail}"), format!("pbkdf2_sha256${tail}"), format!("$argon2i${tail}")] {
                if let Ok(stored) = to_stored(&candidate) {
                    proptest::prop_assert!(Hasher::can_read(&stored) && stored.len() <= LONGEST);
                }
            }
        }
    }
}
