//! The four roles, in the order of their ids, and sets of them.

use std::{fmt, str::FromStr};

/// A role a user holds in an organization. The order is that of the seeded ids and of every list of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Business owner with full access.
    Owner,
    /// System administrator: people and settings, no bookkeeping.
    Admin,
    /// Financial operations.
    Accountant,
    /// Cash management.
    Cashier,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Accountant, Self::Cashier];

    /// The stored code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Accountant => "accountant",
            Self::Cashier => "cashier",
        }
    }

    /// The name people read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Administrator",
            Self::Accountant => "Accountant",
            Self::Cashier => "Cashier",
        }
    }

    /// What the role is for, as seeded.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Owner => "Business owner with full access",
            Self::Admin => "System administrator",
            Self::Accountant => "Financial operations",
            Self::Cashier => "Cash management",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A code that no role has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such role")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.code() == code).ok_or(UnknownRole)
    }
}

/// The roles of one user in one organization: access is their union.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleSet(Vec<Role>);

impl RoleSet {
    /// The roles in order, each once.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }

    /// Whether the role is held.
    pub fn contains(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// The codes in order with a space between, as invitations store them.
    pub fn codes(&self) -> String {
        self.iter().map(Role::code).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`codes`](Self::codes) wrote. A role this binary does not know grants nothing.
    pub fn stored(codes: &str) -> Self {
        codes.split(' ').filter_map(|code| code.parse().ok()).collect()
    }

    /// Whether no role is held: such a user can sign in and see themselves, no more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        let mut held: Vec<Role> = roles.into_iter().collect();
        held.sort_unstable();
        held.dedup();
        Self(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_each_role_once_in_the_order_of_the_ids() {
        let set: RoleSet = [Role::Cashier, Role::Owner, Role::Cashier].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Role::Owner, Role::Cashier]);
        assert_eq!((set.codes().as_str(), RoleSet::stored("cashier owner auditor")), ("owner cashier", set.clone()));
        assert!(RoleSet::stored("").is_empty() && RoleSet::default().codes().is_empty());
    }

    #[test]
    fn every_code_reads_back_and_no_other_does() {
        for role in Role::ALL {
            assert_eq!(role.code().parse(), Ok(role));
        }
        assert_eq!("Owner".parse::<Role>(), Err(UnknownRole));
    }
}
