//! E-mail addresses: the normal form that is stored, compared and returned.

use std::{fmt, str::FromStr};

/// Longest address in characters (RFC 5321 section 4.5.3.1.3 leaves 254 once the angle brackets are taken off).
const MAX_LENGTH: usize = 254;
/// Longest part before the `@` (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest label of a domain (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;
/// Top-level names that can never receive mail (RFC 2606, RFC 6761, RFC 7686).
const REFUSED_TOP_LEVEL: [&str; 6] = ["arpa", "invalid", "local", "localhost", "onion", "test"];

/// An address in normal form: no surrounding white space, ASCII letters in lower case, nothing else folded.
///
/// `Debug` and [`Email::masked`] never show the whole address, so that it cannot reach a log by accident.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

/// Why a text is no address. The sentence is shown to clients and never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// There is no `@`.
    #[error("An email address must have an @-sign.")]
    NoAt,
    /// More than one `@`.
    #[error("An email address must have exactly one @-sign.")]
    ManyAts,
    /// Nothing before the `@`.
    #[error("There must be something before the @-sign.")]
    EmptyLocal,
    /// More than 64 characters before the `@`.
    #[error("The part before the @-sign is too long.")]
    LongLocal,
    /// More than 254 characters.
    #[error("The email address is too long.")]
    TooLong,
    /// A character or a run of periods that is not allowed before the `@`.
    #[error("The part before the @-sign contains invalid characters.")]
    BadLocal,
    /// No period, an empty or overlong label, or a character that no domain has.
    #[error("The part after the @-sign is not valid. It should have a period.")]
    BadDomain,
    /// A name reserved for purposes other than mail.
    #[error("The part after the @-sign is a special-use or reserved name that cannot be used with email.")]
    ReservedDomain,
}

impl Email {
    /// Reads an address and brings it to normal form, in one pass over each part.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        // Bytes bound characters from above only by a factor of four, so huge inputs end here without a count.
        if text.len() > MAX_LENGTH * 4 || text.chars().count() > MAX_LENGTH {
            return Err(if text.contains('@') { EmailError::TooLong } else { EmailError::NoAt });
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::NoAt)?;
        if domain.contains('@') {
            return Err(EmailError::ManyAts);
        }
        check_local(local)?;
        check_domain(domain)?;
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// An address read from the database. Input rules may have become stricter since it was stored, so they are not
    /// applied again.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The form for logs: first character and domain (`a***@sme.com`).
    pub fn masked(&self) -> Masked<'_> {
        Masked(&self.0)
    }
}

fn check_local(local: &str) -> Result<(), EmailError> {
    if local.is_empty() {
        return Err(EmailError::EmptyLocal);
    }
    if local.chars().count() > MAX_LOCAL {
        return Err(EmailError::LongLocal);
    }
    let dots_misplaced = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    if dots_misplaced || !local.chars().all(local_character) {
        return Err(EmailError::BadLocal);
    }
    Ok(())
}

/// `atext` and the period (RFC 5322 section 3.2.3), and letters beyond ASCII (RFC 6532).
fn local_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c) || international(c)
}

fn check_domain(domain: &str) -> Result<(), EmailError> {
    let mut labels = 0_usize;
    let mut last = "";
    for label in domain.split('.') {
        let hyphens_misplaced = label.starts_with('-') || label.ends_with('-');
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || international(c);
        if label.is_empty() || label.len() > MAX_LABEL || hyphens_misplaced || !label.chars().all(allowed) {
            return Err(EmailError::BadDomain);
        }
        labels = labels.saturating_add(1);
        last = label;
    }
    if REFUSED_TOP_LEVEL.iter().any(|name| last.eq_ignore_ascii_case(name)) {
        return Err(EmailError::ReservedDomain);
    }
    if labels < 2 || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EmailError::BadDomain);
    }
    Ok(())
}

/// A visible character beyond ASCII. Full-width forms, look-alikes and joiners stay what they are: other addresses.
fn international(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.masked().fmt(f)
    }
}

/// Displays an address as `a***@sme.com`.
#[derive(Clone, Copy)]
pub struct Masked<'a>(&'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, domain) = self.0.split_once('@').unwrap_or((self.0, ""));
        let first = local.chars().next().unwrap_or('*');
        write!(f, "{first}***@{domain}")
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_normal_form_trims_and_lowers_ascii_and_nothing_else() {
        assert_eq!(Email::parse(" Admin@SME.com\n").unwrap().as_str(), "admin@sme.com");
        assert_eq!(Email::parse("İ@sme.com").unwrap().as_str(), "İ@sme.com");
        assert_ne!(Email::parse("a+b@sme.com").unwrap(), Email::parse("a@sme.com").unwrap());
        assert_ne!(Email::parse("ａdmin@sme.com").unwrap(), Email::parse("admin@sme.com").unwrap());
    }

    #[test]
    fn each_kind_of_bad_address_has_its_reason() {
        let long_local = format!("{}@sme.com", "a".repeat(65));
        let long = format!("{}@{}.com", "a".repeat(64), format!("{}.", "b".repeat(60)).repeat(4));
        for (text, reason) in [
            ("", EmailError::NoAt),
            ("plain", EmailError::NoAt),
            ("a@b@c.com", EmailError::ManyAts),
            ("@sme.com", EmailError::EmptyLocal),
            (long_local.as_str(), EmailError::LongLocal),
            (long.as_str(), EmailError::TooLong),
            ("\"a b\"@sme.com", EmailError::BadLocal),
            ("Ann <a@sme.com", EmailError::BadLocal),
            ("a..b@sme.com", EmailError::BadLocal),
            ("a\0@sme.com", EmailError::BadLocal),
            ("a@sme", EmailError::BadDomain),
            ("a@[127.0.0.1]", EmailError::BadDomain),
            ("a@127.0.0.1", EmailError::BadDomain),
            ("a@sme.com.", EmailError::BadDomain),
            ("a@-sme.com", EmailError::BadDomain),
            ("a@x.LOCAL", EmailError::ReservedDomain),
            ("a@localhost", EmailError::ReservedDomain),
        ] {
            assert_eq!(Email::parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn logs_see_only_the_first_character_and_the_domain() {
        let email = Email::parse("admin@sme.com").unwrap();
        assert_eq!(format!("{email:?}"), "a***@sme.com");
        assert_eq!(email.masked().to_string(), "a***@sme.com");
    }

    proptest! {
        #[test]
        fn any_text_is_either_refused_or_in_a_form_that_reads_back_as_itself(text in "\\PC{0,300}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
            }
        }

        #[test]
        fn ascii_case_never_matters(local in "[a-zA-Z0-9]{1,20}", domain in "[a-zA-Z]{1,20}\\.com") {
            let text = format!("{local}@{domain}");
            prop_assert_eq!(Email::parse(&text), Email::parse(&text.to_ascii_uppercase()));
        }
    }
}
