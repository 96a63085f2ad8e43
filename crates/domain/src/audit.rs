//! The audit trail: what is recorded, and the hash that chains an organization's events.
//!
//! `docs/audit.md` describes the bytes; `record` makes them, `checkpoint` signs them, `verify` checks them.

mod checkpoint;
mod encoding;
mod record;
#[cfg(test)]
mod tests;
mod verify;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::ids::{ApiKeyId, OrgId, UserId};

pub use checkpoint::{Checkpoint, Ending, PublicKey};
pub use encoding::Digest;
pub use record::{AuditRecord, Fields, Malformed, Place};
pub use verify::{ChainVerifier, Finding, Summary, Trust};

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
    /// A session ended by somebody who may, with one of its tokens.
    TokenRevoked,
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
    /// A password was right and a code of the second factor was asked for.
    FactorAsked,
    /// A second factor was set up, to be confirmed.
    FactorEnrolled,
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
    /// The operator suspended the organization.
    OrganizationSuspended,
    /// The operator let the organization go on.
    OrganizationActivated,
    /// A person was added by somebody who may.
    UserCreated,
    /// The name of a person changed.
    UserUpdated,
    /// The roles of a person changed.
    RolesChanged,
    /// A person may sign in again.
    UserActivated,
    /// A person may no longer sign in, or no longer belongs to the organization.
    UserDeactivated,
    /// Somebody who may set a new password for a person.
    PasswordSet,
    /// An invitation was mailed.
    InvitationSent,
    /// An invitation was mailed again, with another link.
    InvitationResent,
    /// An invitation was taken back.
    InvitationRevoked,
    /// An invited person joined.
    InvitationAccepted,
    /// A new organization signed up, with its first owner.
    OrganizationCreated,
    /// The first owner confirmed the address.
    SignUpConfirmed,
    /// A member switched here from another organization.
    OrganizationEntered,
    /// A customer was added.
    CustomerCreated,
    /// A customer changed.
    CustomerUpdated,
    /// A customer was deactivated.
    CustomerDeactivated,
    /// A supplier was added.
    SupplierCreated,
    /// A supplier changed.
    SupplierUpdated,
    /// A supplier was deactivated.
    SupplierDeactivated,
    /// A cash or bank account was added.
    AccountCreated,
    /// A cash or bank account changed.
    AccountUpdated,
    /// A cash or bank account was deactivated.
    AccountDeactivated,
    /// A signing key was made and published.
    KeyGenerated,
    /// A signing key took the place of another.
    KeyRotated,
    /// A signing key was retired: it signs no longer.
    KeyRetired,
    /// A signing key was revoked: it counts for nothing.
    KeyRevoked,
    /// A key for programs was made.
    ApiKeyCreated,
    /// A key for programs was revoked.
    ApiKeyRevoked,
    /// The operator made a service account.
    ServiceAccountCreated,
    /// The operator revoked a service account.
    ServiceAccountRevoked,
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
            Self::TokenRevoked => "auth.token_revoked",
            Self::RefreshReused => "auth.refresh_reused",
            Self::GuessingSlowed => "auth.guessing_slowed",
            Self::PasswordChanged => "auth.password_changed",
            Self::PasswordRefused => "auth.password_refused",
            Self::PasswordResetRequested => "auth.password_reset_requested",
            Self::PasswordReset => "auth.password_reset",
            Self::FactorAsked => "auth.factor_asked",
            Self::FactorEnrolled => "auth.factor_enrolled",
            Self::FactorEnabled => "auth.factor_enabled",
            Self::FactorDisabled => "auth.factor_disabled",
            Self::FactorRefused => "auth.factor_refused",
            Self::RecoveryCodeUsed => "auth.recovery_code_used",
            Self::RecoveryCodesRenewed => "auth.recovery_codes_renewed",
            Self::Reauthenticated => "auth.reauthenticated",
            Self::PersonalDataErased => "audit.personal_data_erased",
            Self::OrganizationUpdated => "organization.updated",
            Self::OrganizationSuspended => "organization.suspended",
            Self::OrganizationActivated => "organization.activated",
            Self::UserCreated => "users.created",
            Self::UserUpdated => "users.updated",
            Self::RolesChanged => "users.roles_changed",
            Self::UserActivated => "users.activated",
            Self::UserDeactivated => "users.deactivated",
            Self::PasswordSet => "users.password_set",
            Self::InvitationSent => "invitations.sent",
            Self::InvitationResent => "invitations.resent",
            Self::InvitationRevoked => "invitations.revoked",
            Self::InvitationAccepted => "invitations.accepted",
            Self::OrganizationCreated => "organization.created",
            Self::SignUpConfirmed => "organization.sign_up_confirmed",
            Self::OrganizationEntered => "auth.organization_entered",
            Self::CustomerCreated => "customers.created",
            Self::CustomerUpdated => "customers.updated",
            Self::CustomerDeactivated => "customers.deactivated",
            Self::SupplierCreated => "suppliers.created",
            Self::SupplierUpdated => "suppliers.updated",
            Self::SupplierDeactivated => "suppliers.deactivated",
            Self::AccountCreated => "accounts.created",
            Self::AccountUpdated => "accounts.updated",
            Self::AccountDeactivated => "accounts.deactivated",
            Self::KeyGenerated => "key.generated",
            Self::KeyRotated => "key.rotated",
            Self::KeyRetired => "key.retired",
            Self::KeyRevoked => "key.revoked",
            Self::ApiKeyCreated => "api_keys.created",
            Self::ApiKeyRevoked => "api_keys.revoked",
            Self::ServiceAccountCreated => "service_accounts.created",
            Self::ServiceAccountRevoked => "service_accounts.revoked",
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
    /// The names of those details that tell about a person: they can be erased later. The client's address always can.
    pub personal: &'static [&'static str],
    /// Where the call came from.
    pub origin: Origin,
}

impl AuditEvent {
    /// An event about a user of an organization; who did it is not known, or somebody else.
    pub fn about_user(action: Action, (user, org): (UserId, OrgId), origin: &Origin) -> Self {
        let event = Self::new(action, Some(org), origin.clone());
        Self { entity: Some("users"), entity_id: Some(user.get()), ..event }
    }

    /// An event about a user that they brought about themselves.
    pub fn by_user(action: Action, (user, org): (UserId, OrgId), origin: &Origin) -> Self {
        Self { actor: Some(user), ..Self::about_user(action, (user, org), origin) }
    }

    /// The same, brought about with a key for programs: the actor is the person for whom it acts, and the details say with
    /// which key, under the hash like all of them.
    #[must_use]
    pub fn by_key(mut self, key: ApiKeyId) -> Self {
        self.after.get_or_insert_default().insert("api_key_id".to_owned(), Some(key.to_string()));
        self
    }

    /// An event with nothing but its kind, organization and origin.
    pub fn new(action: Action, org: Option<OrgId>, origin: Origin) -> Self {
        Self {
            action,
            org,
            actor: None,
            entity: None,
            entity_id: None,
            before: None,
            after: None,
            personal: &[],
            origin,
        }
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

/// One chain of events: that of an organization, or of the events outside any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chain {
    /// Events that belong to no organization.
    Outside,
    /// An organization's events.
    Of(OrgId),
}

impl Chain {
    /// The number under which heads and checkpoints are kept: the organization's, or 0.
    pub const fn number(self) -> i64 {
        match self {
            Self::Outside => 0,
            Self::Of(org) => org.get(),
        }
    }

    /// The chain with this number.
    pub const fn numbered(number: i64) -> Self {
        if number == 0 { Self::Outside } else { Self::Of(OrgId::new(number)) }
    }

    /// The organization, if it is one's.
    pub const fn org(self) -> Option<OrgId> {
        match self {
            Self::Outside => None,
            Self::Of(org) => Some(org),
        }
    }
}
