//! The audit trail: what is recorded, and the hash that chains an organization's events.
//!
//! The encoding is canonical and length-prefixed, so that no two different events have the same bytes. It starts
//! with a version, so that a later form can be told from this one.

use std::collections::BTreeMap;

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
    /// A session ended by its user, from this or another device.
    SessionEnded,
    /// Several sessions ended by their user at once.
    SessionsEnded,
    /// An old refresh token came back, as only a thief or their victim would send it; its session was ended.
    RefreshReused,
    /// So many refused log-ins at one account that further ones are slowed down.
    GuessingSlowed,
    /// A password changed by its user.
    PasswordChanged,
    /// A signed-in user gave a wrong password.
    PasswordRefused,
    /// A link to set a new password was asked for.
    PasswordResetRequested,
    /// A password set anew with such a link.
    PasswordReset,
    /// A second factor was confirmed and is asked for from now on.
    FactorEnabled,
    /// A second factor was removed by its user.
    FactorDisabled,
    /// A code of the second factor was refused.
    FactorRefused,
    /// A recovery code was used up in place of the second factor.
    RecoveryCodeUsed,
    /// New recovery codes replaced the old ones.
    RecoveryCodesRenewed,
    /// A signed-in user proved again who they are.
    Reauthenticated,
    /// Personal data was taken out of earlier events.
    PersonalDataErased,
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
            Self::SessionEnded => "auth.session_ended",
            Self::SessionsEnded => "auth.sessions_ended",
            Self::RefreshReused => "auth.refresh_reused",
            Self::GuessingSlowed => "auth.guessing_slowed",
            Self::PasswordChanged => "auth.password_changed",
            Self::PasswordRefused => "auth.password_refused",
            Self::PasswordResetRequested => "auth.password_reset_requested",
            Self::PasswordReset => "auth.password_reset",
            Self::FactorEnabled => "auth.factor_enabled",
            Self::FactorDisabled => "auth.factor_disabled",
            Self::FactorRefused => "auth.factor_refused",
            Self::RecoveryCodeUsed => "auth.recovery_code_used",
            Self::RecoveryCodesRenewed => "auth.recovery_codes_renewed",
            Self::Reauthenticated => "auth.reauthenticated",
            Self::PersonalDataErased => "audit.personal_data_erased",
            Self::OrganizationUpdated => "organization.updated",
            Self::Seeded => "system.seeded",
        }
    }
}

/// The recorded fields of a row: names and texts, never passwords, hashes or tokens.
pub type Details = BTreeMap<String, Option<String>>;

/// One event before it gets its place in the chain.
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
    /// The changed fields before.
    pub before: Option<Details>,
    /// The changed fields after.
    pub after: Option<Details>,
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
            request_id.as_deref(),
            event.origin.client_ip.as_deref(),
        ] {
            absorb(&mut hasher, field);
        }
        absorb_details(&mut hasher, event.before.as_ref());
        absorb_details(&mut hasher, event.after.as_ref());
        hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// A presence byte, the number of fields as a big-endian u64, and each field's name and value in order of names.
fn absorb_details(hasher: &mut Sha256, details: Option<&Details>) {
    let Some(details) = details else { return hasher.update([0]) };
    hasher.update([1]);
    hasher.update(u64::try_from(details.len()).unwrap_or(u64::MAX).to_be_bytes());
    for (name, value) in details {
        absorb(hasher, Some(name));
        absorb(hasher, value.as_deref());
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

    fn details(value: Option<&str>) -> Details {
        Details::from([("name".to_owned(), value.map(str::to_owned))])
    }

    fn record() -> AuditRecord {
        let mut event = AuditEvent::new(Action::LogIn, Some(OrgId::new(1)), Origin::default());
        event.before = Some(details(Some("ab")));
        event.after = Some(details(Some("c")));
        AuditRecord { event, seq: 1, prev_hash: None, created_at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn moving_a_character_between_fields_changes_the_hash() {
        let mut moved = record();
        moved.event.before = Some(details(Some("a")));
        moved.event.after = Some(details(Some("bc")));
        assert_ne!(record().hash(), moved.hash());
    }

    #[test]
    fn absent_and_empty_differ_and_the_order_counts() {
        let mut empty = record();
        empty.event.origin.client_ip = Some(String::new());
        assert_ne!(record().hash(), empty.hash());
        let mut null = record();
        null.event.after = Some(details(None));
        assert_ne!(record().hash(), null.hash());
        let mut later = record();
        later.seq = 2;
        assert_ne!(record().hash(), later.hash());
    }

    #[test]
    fn the_encoding_is_fixed_for_ever() {
        assert_eq!(record().hash(), "f2fe5835e54d3822e1daeff5abc1b3996d7fc55fe6d5696c93fcf4b1067057e7");
    }
}
