//! Why a caller is refused: the one error of authentication and authorisation.

use sme_pulse_domain::ids::{OrgId, UserId};

use crate::token::{TokenError, VerifyError};

/// A refusal, or a failure to decide. What the client may be told is much less than what is in here.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No bearer token was sent.
    #[error("no bearer token")]
    Unauthenticated,
    /// The token itself is no good.
    #[error("{0}")]
    InvalidToken(#[from] TokenError),
    /// The token is genuine, but its user does not exist.
    #[error("the user of the token does not exist")]
    UnknownUser,
    /// The token is genuine, but not for the organization of its session, or the user does not belong to that one.
    #[error("the user does not belong to the organization of the token")]
    OrganizationMismatch {
        /// Whose token it is.
        user: UserId,
        /// The organization it names.
        claimed: OrgId,
    },
    /// The token is genuine, but its session is over or not this user's.
    #[error("the session of the token has ended")]
    SessionEnded,
    /// The key for programs is no good, or acts for nobody any more.
    #[error("{0}")]
    BadKey(#[from] KeyRefusal),
    /// The user is inactive or the organization suspended.
    #[error("the user is inactive or the organization suspended")]
    Inactive {
        /// Whose token it is.
        user: UserId,
    },
    /// None of the caller's roles grants the permission.
    #[error("no role of the caller grants the permission")]
    Forbidden {
        /// Who called.
        user: UserId,
        /// For which organization.
        org: OrgId,
    },
    /// The service account was not given the permission.
    #[error("the service account was not given the permission")]
    NotGranted,
    /// Signed in, but it is too long ago that the caller proved who they are (RFC 9470).
    #[error("the caller has not proved who they are lately")]
    StepUpRequired {
        /// Who called.
        user: UserId,
        /// For which organization.
        org: OrgId,
        /// How long ago it may be, in seconds.
        max_age: u32,
    },
    /// The guard found no authenticator: a wiring mistake is a failure, not an open door.
    #[error("no authenticator is configured")]
    Misconfigured,
    /// The state of the caller could not be read.
    #[error("the state of the caller could not be read")]
    Undecided(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a key for programs was refused. The text goes to the log; clients see one answer for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// Cut, mistyped or made up: its checksum does not match.
    #[error("the key is malformed")]
    Malformed,
    /// No key begins so.
    #[error("the key is unknown")]
    Unknown,
    /// A key begins so and goes on in another way.
    #[error("the key's secret is wrong")]
    WrongSecret,
    /// It was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// Its time is up.
    #[error("the key has expired")]
    Expired,
    /// Whoever made it is inactive or no longer belongs to the organization.
    #[error("the creator of the key is inactive or has left the organization")]
    CreatorGone,
    /// The organization is suspended.
    #[error("the organization of the key is suspended")]
    Suspended,
    /// A service account where an organization's caller is asked for, or the other way round.
    #[error("the key is of another kind than is asked for here")]
    NotHere,
}

impl From<VerifyError> for AccessError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(refused) => Self::InvalidToken(refused),
            VerifyError::Undecided(undecided) => Self::Undecided(Box::new(undecided)),
        }
    }
}
