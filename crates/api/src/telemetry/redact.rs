//! What of an input may be logged.

use sme_pulse_domain::email::Email;

/// The address in its masked form, or nothing at all when the text is no address: people type passwords into the field
/// of the login name. A field whose value is `None` does not appear in the line.
pub fn masked(login_name: &str) -> Option<String> {
    Email::parse(login_name).ok().map(|email| email.masked().to_string())
}
