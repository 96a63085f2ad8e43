//! The verified caller: the source of every tenant scope.

use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    permission::Permission,
    role::RoleSet,
    tenant::TenantScope,
    user::User,
};

/// Who calls, as the server's own state knows them now. Nothing in it comes from the token but the key of the look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    user: User,
    session: Option<SessionId>,
    roles: RoleSet,
}

impl Principal {
    /// A caller whose token, session, user and organization have been checked. Only an authenticator makes one.
    pub const fn new(user: User, session: Option<SessionId>, roles: RoleSet) -> Self {
        Self { user, session, roles }
    }

    /// The user.
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// The user's key.
    pub const fn user_id(&self) -> UserId {
        self.user.id
    }

    /// The organization the token is for.
    pub const fn org_id(&self) -> OrgId {
        self.user.org
    }

    /// The session the token belongs to; `None` for tokens that were not made by a log-in.
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The roles held in the organization.
    pub const fn roles(&self) -> &RoleSet {
        &self.roles
    }

    /// Whether any role grants the permission.
    pub fn may(&self, permission: Permission) -> bool {
        permission.granted_to(&self.roles)
    }

    /// The scope in which the caller's tenant can be reached.
    #[expect(clippy::disallowed_methods, reason = "a principal is what a verified scope is made from")]
    pub const fn scope(&self) -> TenantScope {
        TenantScope::assume_verified(self.user.org, Some(self.user.id))
    }
}
