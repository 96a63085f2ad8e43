//! Texts and e-mail addresses.

use sme_pulse_domain::email::Email;

use super::{Fault, Kind, counted, string};

/// A text with bounds on its number of characters and without NUL, which PostgreSQL cannot store.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    min: usize,
    max: usize,
    trimmed: bool,
}

/// A name, code or number: surrounding white space is removed before it is measured.
pub const fn text(min: usize, max: usize) -> Text {
    Text { min, max, trimmed: true }
}

/// A text that is kept as it is: notes, descriptions, filters.
pub const fn untrimmed(min: usize, max: usize) -> Text {
    Text { min, max, trimmed: false }
}

impl Text {
    fn check(self, whole: &str) -> Result<String, Fault> {
        let text = self.cut(whole);
        if text.contains('\0') {
            return Err(without_nul());
        }
        check_length(text, self.min, self.max)?;
        Ok(text.to_owned())
    }

    fn cut(self, whole: &str) -> &str {
        if self.trimmed { whole.trim() } else { whole }
    }
}

/// Counts characters, not bytes.
pub(super) fn check_length(text: &str, min: usize, max: usize) -> Result<(), Fault> {
    let length = text.chars().count();
    if length < min {
        let msg = format!("String should have at least {}", counted(min, "character"));
        return Err(Fault::new(msg, "string_too_short"));
    }
    if length > max {
        let msg = format!("String should have at most {}", counted(max, "character"));
        return Err(Fault::new(msg, "string_too_long"));
    }
    Ok(())
}

pub(super) fn not_a_string() -> Fault {
    Fault::new("Input should be a valid string", "string_type")
}

pub(super) fn without_nul() -> Fault {
    Fault::value("Text must not contain NUL characters")
}

impl Kind for Text {
    type Value = String;

    fn json(&self, raw: &str) -> Result<String, Fault> {
        self.check(&string(raw).ok_or_else(not_a_string)?)
    }

    fn query(&self, text: &str) -> Result<String, Fault> {
        self.check(text)
    }

    fn is_blank(&self, raw: &str) -> bool {
        string(raw).is_some_and(|text| self.cut(&text).is_empty())
    }
}

/// An e-mail address, see [`EMAIL`].
#[derive(Debug, Clone, Copy)]
pub struct Mailbox;

/// An e-mail address in normal form.
pub const EMAIL: Mailbox = Mailbox;

impl Kind for Mailbox {
    type Value = Email;

    fn json(&self, raw: &str) -> Result<Email, Fault> {
        self.query(&string(raw).ok_or_else(not_a_string)?)
    }

    fn query(&self, text: &str) -> Result<Email, Fault> {
        Email::parse(text).map_err(|reason| Fault::value(format!("value is not a valid email address: {reason}")))
    }

    fn is_blank(&self, raw: &str) -> bool {
        string(raw).is_some_and(|text| text.trim().is_empty())
    }
}

/// An e-mail address, see [`EMAIL_AS_SENT`].
#[derive(Debug, Clone, Copy)]
pub struct MailboxAsSent;

/// An e-mail address in normal form, and the text as it was sent.
pub const EMAIL_AS_SENT: MailboxAsSent = MailboxAsSent;

impl Kind for MailboxAsSent {
    type Value = (Email, String);

    fn json(&self, raw: &str) -> Result<Self::Value, Fault> {
        self.query(&string(raw).ok_or_else(not_a_string)?)
    }

    fn query(&self, text: &str) -> Result<Self::Value, Fault> {
        Ok((EMAIL.query(text)?, text.to_owned()))
    }
}
