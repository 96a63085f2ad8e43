//! Time-based codes (RFC 6238) as authenticator apps make them: SHA-1, six digits, steps of 30 s.

use chrono::{DateTime, Utc};
use qrcode::{EcLevel, QrCode, render::svg};
use sme_pulse_domain::email::Email;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

/// Bytes of a secret (RFC 4226 section 4 recommends 160 bits).
pub(super) const SECRET_BYTES: usize = 20;
/// Digits of a code.
pub(super) const DIGITS: usize = 6;
/// Seconds of a step.
const STEP: u64 = 30;
/// Steps before and after the present one whose codes count, for clocks that differ and slow fingers.
const SKEW: u16 = 1;
/// The name that authenticator apps show.
const ISSUER: &str = "SME Pulse";

/// What a user needs to set up an authenticator app. There is no `Debug`: it holds the secret.
pub struct Enrolment {
    /// The secret in base32, to be typed where no picture can be taken.
    pub secret: Zeroizing<String>,
    /// The same with names and parameters, as a URI.
    pub uri: Zeroizing<String>,
    /// The URI as a picture, an SVG element.
    pub picture: Zeroizing<String>,
}

/// The step within the window whose code this is. Whether it was used before is not known here.
pub(super) fn step_of(secret: &[u8], code: &str, now: DateTime<Utc>) -> Option<i64> {
    let seconds = u64::try_from(now.timestamp()).ok()?;
    let step = totp(secret, "")?.check(code, seconds)?;
    i64::try_from(step).ok()
}

/// `None` if the library cannot write or draw it, which no secret and address of ours brings about.
pub(super) fn enrolment(secret: &[u8], email: &Email) -> Option<Enrolment> {
    // The one character that the form of these URIs does not allow in names.
    let totp = totp(secret, &email.as_str().replace(':', ""))?;
    let uri = Zeroizing::new(totp.to_url().ok()?);
    let code = QrCode::with_error_correction_level(uri.as_bytes(), EcLevel::M).ok()?;
    let drawn = Zeroizing::new(code.render::<svg::Color<'_>>().min_dimensions(240, 240).build());
    // Without the XML declaration, which has no place inside a page.
    let picture = Zeroizing::new(drawn.get(drawn.find("<svg")?..)?.to_owned());
    Some(Enrolment { secret: Zeroizing::new(totp.secret().to_base32()), uri, picture })
}

fn totp(secret: &[u8], account: &str) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(STEP)
        .with_skew(SKEW)
        .with_secret(secret.to_vec())
        .with_issuer(Some(ISSUER))
        .with_account_name(account)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // The appendix lists eight digits; six are their end (RFC 4226 section 5.3).
        for (second, code, step) in [
            (59, "287082", 1),
            (1_111_111_109, "081804", 37_037_036),
            (1_111_111_111, "050471", 37_037_037),
            (1_234_567_890, "005924", 41_152_263),
            (2_000_000_000, "279037", 66_666_666),
            (20_000_000_000, "353130", 666_666_666),
        ] {
            assert_eq!(step_of(SECRET, code, at(second)), Some(step), "{second}");
        }
    }

    #[test]
    fn a_code_counts_one_step_before_and_after_its_own() {
        // 287082 is the code of step 1, seconds 30 to 59.
        for (second, counts) in [(0, true), (29, true), (30, true), (59, true), (60, true), (89, true), (90, false)] {
            assert_eq!(step_of(SECRET, "287082", at(second)).is_some(), counts, "{second}");
        }
        assert_eq!(step_of(SECRET, "287082", at(-1)), None);
    }

    #[test]
    fn what_is_no_six_ascii_digits_is_no_code() {
        for odd in ["", "28708", "2870820", "+87082", "28708a", "２８７０８２", "٢٨٧٠٨٢", "287 082"] {
            assert_eq!(step_of(SECRET, odd, at(59)), None, "{odd}");
        }
    }

    #[test]
    fn an_app_learns_issuer_account_and_secret_and_the_picture_is_one_element() {
        let enrolment = enrolment(SECRET, &Email::parse("o'neil+x@example.com").unwrap()).unwrap();
        assert_eq!(enrolment.secret.as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            enrolment.uri.as_str(),
            "otpauth://totp/SME%20Pulse:o%27neil%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=SME%20Pulse"
        );
        let picture = enrolment.picture.as_str();
        assert!(picture.starts_with("<svg xmlns=") && picture.ends_with("</svg>"), "{picture}");
        let longest = format!("{}@{}.com", "a".repeat(64), "b".repeat(63));
        assert!(super::enrolment(SECRET, &Email::parse(&longest).unwrap()).is_some());
    }
}
