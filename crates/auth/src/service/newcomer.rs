//! Somebody who has just become a user.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, UserId},
    role::RoleSet,
    status::Status,
    user::User,
};

/// A new user as clients see one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// The user, active and at home in the organization.
    pub user: User,
    /// The roles held there.
    pub roles: RoleSet,
    /// When they became one.
    pub created_at: DateTime<Utc>,
}

impl NewMember {
    pub(super) fn of(
        (id, org): (UserId, OrgId),
        (email, full_name): (Email, String),
        roles: RoleSet,
        created_at: DateTime<Utc>,
    ) -> Self {
        let status = Status::Active;
        let user = User { id, org, email, full_name: Some(full_name), status, last_login_at: None };
        Self { user, roles, created_at }
    }
}
