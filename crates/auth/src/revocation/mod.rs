//! What has been taken back before its time: ended sessions, users and organizations whose tokens so far count no longer, keys.
//! The issuer publishes it as a numbered, signed stream; who verifies tokens elsewhere follows it.
//!
//! Every message says: these are *all* revocations after number `after` up to number `seq` ([`Revocations`]). A snapshot, a piece of
//! news and a sign of life are the same kind of message, so a reader can tell what it has missed from numbers alone.

mod follower;
mod known;
mod message;

use sme_pulse_domain::ids::{OrgId, SessionId, UserId};

use crate::token::KeyId;
pub use follower::{Follower, MAX_REMEMBERED, Step, revoked_keys};
pub use message::{MAX_MESSAGE_BYTES, MessageError, Revocations};

/// What has been taken back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Revoked {
    /// A session: its tokens count no longer.
    Session(SessionId),
    /// A user, everywhere: deactivated or removed. Tokens made before count no longer.
    User(UserId),
    /// What a user was in one organization: roles were taken away, or the membership. Tokens made before count no longer.
    Member(UserId, OrgId),
    /// An organization: suspended. Tokens made before count no longer.
    Organization(OrgId),
    /// A signing key: whatever it has signed counts no longer.
    Key(KeyId),
}

/// One revocation and its number. Numbers only grow; they may have gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its number.
    pub seq: u64,
    /// What it takes back.
    pub what: Revoked,
}
