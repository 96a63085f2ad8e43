//! Reading requests: bodies, queries and path ids become typed values or the items of a 422, all of them at
//! once, in field order, never with the submitted value.
//!
//! A handler reads its fields, then unwraps them in `finish`, which fails when any of them was refused:
//!
//! ```
//! # use sme_pulse_api::{error::ApiError, input::{Body, EMAIL, Object, SECRET, Secret}};
//! # use sme_pulse_domain::email::Email;
//! # struct LogIn { email: Email, password: Secret }
//! # fn handle(body: &Body) -> Result<LogIn, ApiError> {
//! let mut fields = Object::of(body);
//! let email = fields.required("email", EMAIL);
//! let password = fields.required("password", SECRET);
//! fields.finish(|| Some(LogIn { email: email?, password: password? }))
//! # }
//! ```
//!
//! To add a kind of value: one [`Kind`] in `kinds/`, with its texts, and a row in `docs/api.md`.

mod body;
mod form;
mod json;
mod kinds;
mod members;
mod object;
mod path;
mod query;
mod report;
mod scan;

pub use body::{Body, BodyLimit};
pub(crate) use body::{claimed_length, read_whole};
pub use form::Form;
pub use kinds::{
    AMOUNT, AMOUNT_OR_ZERO, ANY_AMOUNT, Amount, BOOLEAN, Boolean, DATE, Day, EMAIL, EMAIL_AS_SENT, Fault, ID, Id,
    Integer, Kind, Mailbox, MailboxAsSent, Password, SECRET, Secret, SecretText, TOKEN, Text, TokenText, Word, integer,
    new_password, text, untrimmed, word,
};
pub use object::Object;
pub use path::id as path_id;
pub use query::{Page, Query};

/// A value that was read; `None` when it was refused, and then the reader holds the issue.
pub type Read<T> = Option<T>;
