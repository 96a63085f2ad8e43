//! A user: a person with one home organization and a globally unique address.

use chrono::{DateTime, Utc};

use crate::{
    email::Email,
    ids::{OrgId, UserId},
    role::RoleSet,
    status::Status,
};

/// A user as the rest of the system sees one: everything but the password hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Key.
    pub id: UserId,
    /// Home organization: it governs the account, whatever other organizations its owner belongs to.
    pub org: OrgId,
    /// Address in normal form, unique over all organizations.
    pub email: Email,
    /// Name, if given.
    pub full_name: Option<String>,
    /// Whether they may sign in.
    pub status: Status,
    /// Last successful log-in.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// Everything a log-in has to know, read in one go.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The stored password hash. Never logged: there is no `Debug`.
    pub password_hash: String,
    /// When the password was last set by somebody, as it was read with the hash; renewing a hash leaves it.
    pub password_changed_at: Option<DateTime<Utc>>,
    /// Whether the organization is active.
    pub org_status: Status,
    /// The roles held in the home organization.
    pub roles: RoleSet,
    /// Whether a confirmed second factor is asked for after the password.
    pub has_factor: bool,
}
