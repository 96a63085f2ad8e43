//! Passwords: never trimmed, never shown, wiped from memory when dropped.

use std::fmt;

use sme_pulse_domain::password_rules::check_common;
use zeroize::Zeroizing;

use super::{
    Fault, Kind, string,
    text::{check_length, not_a_string, without_nul},
};

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text itself, still wiped when dropped.
    pub fn into_inner(self) -> Zeroizing<String> {
        self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A password to be compared, see [`SECRET`].
#[derive(Debug, Clone, Copy)]
pub struct SecretText;

/// A password to be compared: at least 1 character, anything else is merely wrong, NUL included.
pub const SECRET: SecretText = SecretText;

impl Kind for SecretText {
    type Value = Secret;

    fn json(&self, raw: &str) -> Result<Secret, Fault> {
        let text = Secret::new(string(raw).ok_or_else(not_a_string)?);
        check_length(text.expose(), 1, usize::MAX)?;
        Ok(text)
    }

    fn form(&self, text: &str) -> Result<Secret, Fault> {
        check_length(text, 1, usize::MAX)?;
        Ok(Secret::new(text.to_owned()))
    }

    /// Secrets do not come in addresses.
    fn query(&self, _text: &str) -> Result<Secret, Fault> {
        Err(not_a_string())
    }
}

/// A token or code to be compared, see [`TOKEN`].
#[derive(Debug, Clone, Copy)]
pub struct TokenText;

/// A token or code to be compared: at least 1 character and, as in every other text, no NUL; anything else is merely wrong.
pub const TOKEN: TokenText = TokenText;

impl Kind for TokenText {
    type Value = Secret;

    fn json(&self, raw: &str) -> Result<Secret, Fault> {
        let text = SECRET.json(raw)?;
        if text.expose().contains('\0') { Err(without_nul()) } else { Ok(text) }
    }

    /// Secrets do not come in addresses.
    fn query(&self, _text: &str) -> Result<Secret, Fault> {
        Err(not_a_string())
    }
}

/// A password to be set, see [`new_password`].
#[derive(Debug, Clone, Copy)]
pub struct Password {
    min_characters: usize,
    max_bytes: usize,
}

/// A password to be set: not too short, not among the most common ones, and no longer than `max_bytes`, which is what
/// the hash can take, so that nothing is ever cut off. That it is not its owner's name is for the use case to check.
pub const fn new_password(min_characters: usize, max_bytes: usize) -> Password {
    Password { min_characters, max_bytes }
}

impl Kind for Password {
    type Value = Secret;

    fn json(&self, raw: &str) -> Result<Secret, Fault> {
        let text = SECRET.json(raw)?;
        check_length(text.expose(), self.min_characters, usize::MAX)?;
        if text.expose().contains('\0') {
            return Err(Fault::value("Password must not contain NUL characters"));
        }
        if text.expose().len() > self.max_bytes {
            return Err(Fault::value(format!("Password must not be longer than {} bytes", self.max_bytes)));
        }
        check_common(text.expose()).map_err(|refused| Fault::value(refused.to_string()))?;
        Ok(text)
    }

    /// Secrets do not come in addresses.
    fn query(&self, _text: &str) -> Result<Secret, Fault> {
        Err(not_a_string())
    }
}
