//! Invitations into an organization: sending them (`manage.rs`), and what the holder of a link can do (`accept.rs`).

mod accept;
mod manage;

use sme_pulse_domain::{email::Email, password_rules::WeakPassword};
use sme_pulse_persistence::{AsStoreError, StoreError};

pub use accept::{AcceptInvitation, OpenInvitation};
pub use manage::Invite;

use crate::{AccessError, password::HashError};

/// Why something about an invitation was refused.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// The organization has no such invitation.
    #[error("the invitation does not exist")]
    NotFound,
    /// Whoever has the address belongs to the organization already.
    #[error("the person belongs to the organization already")]
    AlreadyMember,
    /// Another invitation of the address is pending.
    #[error("the address is invited already")]
    AlreadyInvited,
    /// Somebody has joined by it.
    #[error("the invitation was accepted")]
    Accepted,
    /// It was taken back.
    #[error("the invitation was revoked")]
    Revoked,
    /// So many invitations went to this address that the next must wait.
    #[error("too many invitations of one address")]
    Flooded {
        /// The address, which the log shows masked.
        email: Email,
        /// Whole seconds to wait.
        seconds: u64,
    },
    /// The token is malformed, unknown, used or expired, was taken back, leads to a suspended organization, is not
    /// the caller's, or its sender could not send it any more.
    #[error("the invitation is not valid")]
    InvalidLink,
    /// The address has an account, so its owner signs in and joins.
    #[error("the address has an account")]
    HasAccount,
    /// The password is refused; the sentence is for the client.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for InvitationError {
    fn from(error: StoreError) -> Self {
        if error.is_duplicate_of("email") { Self::HasAccount } else { Self::Store(error) }
    }
}

impl AsStoreError for InvitationError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
