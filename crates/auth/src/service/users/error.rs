//! Why nothing was done about a user.

use sme_pulse_domain::{password_rules::WeakPassword, person::PersonRefusal};
use sme_pulse_persistence::{AsStoreError, StoreError};

use crate::{AccessError, password::HashError};

/// Why a user was not read, added or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Nobody of that id belongs to the organization. Somebody who belongs to another one looks the same.
    #[error("the user does not exist")]
    NotFound,
    /// Somebody has the address, in whatever organization.
    #[error("the address is taken")]
    EmailTaken,
    /// A rule refuses; the sentence is for the client.
    #[error(transparent)]
    Rule(PersonRefusal),
    /// The first password of a new user is refused; the sentence is for the client.
    #[error("the first password is refused: {0}")]
    FirstPassword(WeakPassword),
    /// The new password of a user is refused; the sentence is for the client.
    #[error("the new password is refused: {0}")]
    NewPassword(WeakPassword),
    /// The caller may not, or may no longer.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for UserError {
    fn from(error: StoreError) -> Self {
        if error.is_duplicate_of("email") { Self::EmailTaken } else { Self::Store(error) }
    }
}

impl AsStoreError for UserError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
