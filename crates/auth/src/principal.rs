//! The verified caller: the source of every tenant scope.

use std::sync::Arc;

use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    permission::Permission,
    role::RoleSet,
    tenant::TenantScope,
    user::User,
};

/// A user and the roles held in the organization, as the server's own state has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// The roles held in the organization.
    pub roles: RoleSet,
}

/// Who calls, as the server's own state knows them now. Nothing in it comes from the token but the key of the look-up.
/// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    member: Arc<Member>,
    session: Option<SessionId>,
}

impl Principal {
    /// A caller whose token, session, user and organization have been checked. Only an authenticator makes one.
    pub const fn new(member: Arc<Member>, session: Option<SessionId>) -> Self {
        Self { member, session }
    }

    /// The user.
    pub fn user(&self) -> &User {
        &self.member.user
    }

    /// The user's key.
    pub fn user_id(&self) -> UserId {
        self.member.user.id
    }

    /// The organization the token is for.
    pub fn org_id(&self) -> OrgId {
        self.member.user.org
    }

    /// The session the token belongs to; `None` for tokens that were not made by a log-in.
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The roles held in the organization.
    pub fn roles(&self) -> &RoleSet {
        &self.member.roles
    }

    /// Whether any role grants the permission.
    pub fn may(&self, permission: Permission) -> bool {
        permission.granted_to(&self.member.roles)
    }

    /// The scope in which the caller's tenant can be reached.
    #[expect(clippy::disallowed_methods, reason = "a principal is what a verified scope is made from")]
    pub fn scope(&self) -> TenantScope {
        TenantScope::assume_verified(self.org_id(), Some(self.user_id()))
    }
}
