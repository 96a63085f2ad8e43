//! The kinds of values that inputs have, each with its texts for refusals (`docs/api.md`).

mod choice;
mod date;
mod number;
mod password;
mod text;

use std::borrow::Cow;

pub use choice::{BOOLEAN, Boolean, Word, word};
pub use date::{DATE, Day};
pub(super) use number::path_id;
pub use number::{AMOUNT, AMOUNT_OR_ZERO, ANY_AMOUNT, Amount, ID, Id, Integer, integer};
pub use password::{Password, SECRET, Secret, SecretText, TOKEN, TokenText, new_password};
pub use text::{EMAIL, EMAIL_AS_SENT, Mailbox, MailboxAsSent, Text, text, untrimmed};

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The sentence a person reads. It never holds the value.
    pub msg: Cow<'static, str>,
    /// The stable word a program reads.
    pub kind: &'static str,
}

impl Fault {
    /// A fault with a text of its own.
    pub fn new(msg: impl Into<Cow<'static, str>>, kind: &'static str) -> Self {
        Self { msg: msg.into(), kind }
    }

    /// A rule that no other kind of fault names.
    pub fn value(msg: impl Into<Cow<'static, str>>) -> Self {
        Self::new(msg, "value_error")
    }

    /// An absent value.
    pub(super) fn missing() -> Self {
        Self::new("Field required", "missing")
    }
}

/// A kind of value: how it is read from a body and from a query or path.
pub trait Kind: Copy {
    /// What it becomes.
    type Value;

    /// Whether an empty query value counts as an absent one.
    const EMPTY_IS_ABSENT: bool = true;

    /// Reads the text of one valid JSON value, `null` included, without surrounding white space.
    fn json(&self, raw: &str) -> Result<Self::Value, Fault>;

    /// Reads a decoded query value.
    fn query(&self, text: &str) -> Result<Self::Value, Fault>;

    /// Reads a decoded value of a form.
    fn form(&self, text: &str) -> Result<Self::Value, Fault> {
        self.query(text)
    }

    /// Whether a JSON value is an empty text, which an optional field stores as null.
    fn is_blank(&self, _raw: &str) -> bool {
        false
    }
}

/// The characters of a JSON string; `None` for any other value.
fn string(raw: &str) -> Option<String> {
    raw.starts_with('"').then(|| serde_json::from_str(raw).ok()).flatten()
}

/// `1 character`, `2 characters`.
fn counted(number: usize, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A list with too few items.
pub(super) fn too_short(min: usize) -> Fault {
    Fault::new(format!("List should have at least {}", counted(min, "item")), "too_short")
}

/// A list with too many items.
pub(super) fn too_long(max: usize) -> Fault {
    Fault::new(format!("List should have at most {}", counted(max, "item")), "too_long")
}
