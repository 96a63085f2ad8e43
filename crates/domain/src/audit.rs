//! The audit trail: what is recorded, and the hash that chains an organization's events.
//!
//! The encoding is canonical and length-prefixed, so that no two different events have the same bytes. It starts
//! with a version, so that a later form can be told from this one.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ids::{OrgId, UserId};

/// Version of the encoding in [`AuditRecord::hash`].
const ENCODING: u8 = 1;

/// What happened, as stored in `action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A log-in that succeeded.
    LogIn,
    /// A log-in that was refused.
    LogInFailed,
    /// A session ended by its user.
    LogOut,
    /// The organization's data sheet changed.
    OrganizationUpdated,
    /// Seed rows were written.
    Seeded,
}

impl Action {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogIn => "auth.log_in",
            Self::LogInFailed => "auth.log_in_failed",
            Self::LogOut => "auth.log_out",
            Self::OrganizationUpdated => "organization.updated",
            Self::Seeded => "system.seeded",
        }
    }
}

/// One event before it gets its place in the chain. `before` and `after` are JSON texts without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What happened.
    pub action: Action,
    /// The organization it belongs to; `None` for events outside any (an unknown log-in name).
    pub org: Option<OrgId>,
    /// Who did it, where known.
    pub actor: Option<UserId>,
    /// The kind of row it is about.
    pub entity: Option<&'static str>,
    /// The key of that row.
    pub entity_id: Option<i64>,
    /// The row before, as JSON text.
    pub before: Option<String>,
    /// The row after, as JSON text.
    pub after: Option<String>,
    /// Where the call came from.
    pub origin: Origin,
}

impl AuditEvent {
    /// An event with nothing but its kind, organization and origin.
    pub fn new(action: Action, org: Option<OrgId>, origin: Origin) -> Self {
        Self { action, org, actor: None, entity: None, entity_id: None, before: None, after: None, origin }
    }
}

/// The request behind a change; empty for commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The server's own id of the request.
    pub request_id: Option<Uuid>,
    /// The client's address as the rate limit sees it.
    pub client_ip: Option<String>,
}

/// An event with its place in the chain of its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The event.
    pub event: AuditEvent,
    /// Its number in the organization, from 1, without gaps.
    pub seq: i64,
    /// The hash of the event before it, as 64 hex digits; `None` for the first.
    pub prev_hash: Option<String>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

impl AuditRecord {
    /// SHA-256 over the canonical encoding of every field, as 64 hex digits.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update([ENCODING]);
        let event = &self.event;
        let request_id = event.origin.request_id.map(|id| id.to_string());
        let number = |n: Option<i64>| n.map(|n| n.to_string());
        for field in [
            number(event.org.map(OrgId::get)).as_deref(),
            Some(self.seq.to_string().as_str()),
            self.prev_hash.as_deref(),
            Some(self.created_at.timestamp_micros().to_string().as_str()),
            number(event.actor.map(UserId::get)).as_deref(),
            Some(event.action.as_str()),
            event.entity,
            number(event.entity_id).as_deref(),
            event.before.as_deref(),
            event.after.as_deref(),
            request_id.as_deref(),
            event.origin.client_ip.as_deref(),
        ] {
            absorb(&mut hasher, field);
        }
        hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// A presence byte, the length in bytes as a big-endian u64, and the bytes.
fn absorb(hasher: &mut Sha256, field: Option<&str>) {
    match field {
        None => hasher.update([0]),
        Some(text) => {
            hasher.update([1]);
            hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> AuditRecord {
        let mut event = AuditEvent::new(Action::LogIn, Some(OrgId::new(1)), Origin::default());
        event.before = Some("ab".into());
        event.after = Some("c".into());
        AuditRecord { event, seq: 1, prev_hash: None, created_at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn moving_a_character_between_fields_changes_the_hash() {
        let mut moved = record();
        moved.event.before = Some("a".into());
        moved.event.after = Some("bc".into());
        assert_ne!(record().hash(), moved.hash());
    }

    #[test]
    fn absent_and_empty_differ_and_the_order_counts() {
        let mut empty = record();
        empty.event.origin.client_ip = Some(String::new());
        assert_ne!(record().hash(), empty.hash());
        let mut later = record();
        later.seq = 2;
        assert_ne!(record().hash(), later.hash());
    }

    #[test]
    fn the_encoding_is_fixed_for_ever() {
        assert_eq!(record().hash().len(), 64);
        assert_eq!(record().hash(), record().hash());
    }
}
