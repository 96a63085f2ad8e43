//! Why a password could not be set.

use sme_pulse_domain::{ids::UserId, password_rules::WeakPassword};
use sme_pulse_persistence::{AsStoreError, StoreError};

use crate::{AccessError, password::HashError};

/// Why a password was not changed or set anew.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The new password is refused; the sentence is for the client.
    #[error(transparent)]
    Refused(#[from] WeakPassword),
    /// The old password is wrong.
    #[error("the old password is wrong")]
    WrongPassword,
    /// The stored hash cannot be read, so the old password counts as wrong; somebody has to repair it.
    #[error("the stored hash cannot be read")]
    UnreadableHash(UserId),
    /// So many passwords of this user were wrong that the next must wait; nothing was checked.
    #[error("so many passwords were wrong that the next must wait")]
    Slowed {
        /// Whose.
        user: UserId,
        /// Whole seconds to wait.
        seconds: u64,
    },
    /// The caller must prove more than that.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Other changes of the same password kept coming in between.
    #[error("the password was changed at the same time")]
    Overtaken,
    /// The reset token is malformed, unknown, used, expired, or of somebody who may not sign in.
    #[error("the reset token is not valid")]
    InvalidResetToken,
    /// The new password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AsStoreError for PasswordError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
