//! Why a caller is refused: the one error of authentication and authorisation.

use sme_pulse_domain::ids::{OrgId, UserId};

use crate::token::TokenError;

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
