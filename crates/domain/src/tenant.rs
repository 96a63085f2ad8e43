//! The tenant as a value one must hold: without a [`TenantScope`] no tenant's row can be reached.

use crate::ids::{OrgId, UserId};

/// Proof of being inside one organization. It is made from a verified principal, and by the seeder and operator
/// commands, which say so by calling [`TenantScope::assume_verified`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantScope {
    org: OrgId,
    actor: Option<UserId>,
}

impl TenantScope {
    /// A scope that nobody has checked. `clippy.toml` lists the call as disallowed: each use states its reason.
    pub const fn assume_verified(org: OrgId, actor: Option<UserId>) -> Self {
        Self { org, actor }
    }

    /// The organization whose rows may be read and written.
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// Who acts; `None` for the system itself.
    pub const fn actor(&self) -> Option<UserId> {
        self.actor
    }
}
