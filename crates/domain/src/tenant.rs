//! The tenant as a value one must hold: without a [`TenantScope`] no tenant's row can be reached.

use crate::ids::{ApiKeyId, OrgId, UserId};

/// Proof of being inside one organization. It is made from a verified principal, and by the seeder and operator
/// commands, which say so by calling [`TenantScope::assume_verified`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantScope {
    org: OrgId,
    actor: Option<UserId>,
    api_key: Option<ApiKeyId>,
}

impl TenantScope {
    /// A scope that nobody has checked. `clippy.toml` lists the call as disallowed: each use states its reason.
    pub const fn assume_verified(org: OrgId, actor: Option<UserId>) -> Self {
        Self { org, actor, api_key: None }
    }

    /// The organization whose rows may be read and written.
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// Who acts; `None` for the system itself.
    pub const fn actor(&self) -> Option<UserId> {
        self.actor
    }

    /// The same, reached with a key that acts for the actor.
    #[must_use]
    pub const fn by_key(self, key: ApiKeyId) -> Self {
        Self { api_key: Some(key), ..self }
    }

    /// The key with which it was reached; `None` for people and the system.
    pub const fn api_key(&self) -> Option<ApiKeyId> {
        self.api_key
    }
}
