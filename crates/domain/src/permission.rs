//! What may be done, and which role grants it: the one table behind every guard. Deny by default.

use crate::role::{Role, RoleSet};

/// One thing a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Own profile, own sessions, own password: any signed-in user, also one without a role.
    UseOwnAccount,
    /// See who belongs to the organization.
    ReadUsers,
    /// Add, change and deactivate those who do. Only owners act on owners.
    WriteUsers,
    /// Invite others into the organization.
    ManageInvitations,
    /// See the organization's own data sheet.
    ReadOrganization,
    /// Change the organization's own data sheet.
    WriteOrganization,
    /// Read the organization's audit trail.
    ReadAuditTrail,
    /// See customers and suppliers.
    ReadPartners,
    /// Add, change and deactivate customers and suppliers.
    WritePartners,
    /// See the cash and bank accounts and their balances.
    ReadAccounts,
    /// Add, change and deactivate cash and bank accounts.
    WriteAccounts,
}

impl Permission {
    /// Every permission, for tables and tests.
    pub const ALL: [Self; 11] = [
        Self::UseOwnAccount,
        Self::ReadUsers,
        Self::WriteUsers,
        Self::ManageInvitations,
        Self::ReadOrganization,
        Self::WriteOrganization,
        Self::ReadAuditTrail,
        Self::ReadPartners,
        Self::WritePartners,
        Self::ReadAccounts,
        Self::WriteAccounts,
    ];

    /// Whether the role grants it.
    pub const fn granted_by(self, role: Role) -> bool {
        match self {
            Self::UseOwnAccount | Self::ReadOrganization | Self::ReadPartners | Self::ReadAccounts => true,
            Self::ReadUsers
            | Self::WriteUsers
            | Self::ManageInvitations
            | Self::WriteOrganization
            | Self::ReadAuditTrail => matches!(role, Role::Owner | Role::Admin),
            Self::WritePartners | Self::WriteAccounts => !matches!(role, Role::Cashier),
        }
    }

    /// Whether the union of the roles grants it.
    pub fn granted_to(self, roles: &RoleSet) -> bool {
        matches!(self, Self::UseOwnAccount) || roles.iter().any(|role| self.granted_by(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_role_only_the_own_account_is_open() {
        let open: Vec<_> = Permission::ALL.into_iter().filter(|p| p.granted_to(&RoleSet::default())).collect();
        assert_eq!(open, [Permission::UseOwnAccount]);
    }

    #[test]
    fn access_is_the_union_of_the_roles() {
        let roles: RoleSet = [Role::Cashier, Role::Admin].into_iter().collect();
        assert!(Permission::WriteOrganization.granted_to(&roles));
        let cashier: RoleSet = [Role::Cashier].into_iter().collect();
        assert!(!Permission::WriteOrganization.granted_to(&cashier));
    }
}
