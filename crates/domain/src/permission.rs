//! What may be done, and which role grants it: the one table behind every guard. Deny by default.

use crate::role::{
    Role::{self, Accountant, Admin, Cashier, Owner},
    RoleSet,
};

/// Turns the table into the type and everything that is known of its values.
macro_rules! permissions {
    ($($name:ident = $code:literal, $about:literal, [$($role:ident)*];)+) => {
        /// One thing a caller may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $(#[doc = $about] $name,)+
        }

        impl Permission {
            /// Every permission, in the order of the table.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$name),+];

            /// The stable word for programs and documents.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// The permission with this code.
            pub fn by_code(code: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|known| known.code() == code)
            }

            /// What it allows, in a sentence.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $about,)+
                }
            }

            /// Whether the role grants it.
            pub fn granted_by(self, role: Role) -> bool {
                let roles: &[Role] = match self {
                    $(Self::$name => &[$($role),*],)+
                };
                roles.contains(&role)
            }
        }
    };
}

permissions! {
    UseOwnAccount = "own_account", "Own profile, own sessions, own password: any signed-in user, also one without a role.",
        [Owner Admin Accountant Cashier];
    ReadUsers = "read_users", "See who belongs to the organization.",
        [Owner Admin];
    WriteUsers = "write_users", "Add, change and deactivate those who do. Only owners act on owners.",
        [Owner Admin];
    ManageInvitations = "manage_invitations", "Invite others into the organization.",
        [Owner Admin];
    ReadOrganization = "read_organization", "See the organization's own data sheet.",
        [Owner Admin Accountant Cashier];
    WriteOrganization = "write_organization", "Change the organization's own data sheet.",
        [Owner Admin];
    ReadAuditTrail = "read_audit_trail", "Read the organization's audit trail.",
        [Owner Admin];
    ReadPartners = "read_partners", "See customers and suppliers.",
        [Owner Admin Accountant Cashier];
    WritePartners = "write_partners", "Add, change and deactivate customers and suppliers.",
        [Owner Admin Accountant];
    ReadAccounts = "read_accounts", "See the cash and bank accounts and their balances.",
        [Owner Admin Accountant Cashier];
    WriteAccounts = "write_accounts", "Add, change and deactivate cash and bank accounts.",
        [Owner Admin Accountant];
    ManageApiKeys = "manage_api_keys", "See, make and revoke the organization's keys for programs.",
        [Owner Admin];
    InspectTokens = "inspect_tokens", "Ask whether a token of the organization still counts.",
        [Owner Admin];
    RevokeTokens = "revoke_tokens", "End the session behind a token of the organization.",
        [Owner Admin];
    FollowRevocations = "follow_revocations", "Follow which of the organization's sessions and rights end.",
        [Owner Admin];
}

impl Permission {
    /// Whether the union of the roles grants it.
    pub fn granted_to(self, roles: &RoleSet) -> bool {
        matches!(self, Self::UseOwnAccount) || roles.iter().any(|role| self.granted_by(role))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

    #[test]
    fn no_two_permissions_share_a_code() {
        let codes: BTreeSet<_> = Permission::ALL.into_iter().map(Permission::code).collect();
        assert_eq!(codes.len(), Permission::ALL.len());
    }
}
