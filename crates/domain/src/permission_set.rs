//! Sets of permissions: what a key was given, apart from what its creator's roles grant.

use crate::permission::Permission;

/// Permissions, each once, in the order of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermissionSet(Vec<Permission>);

impl PermissionSet {
    /// Those of the set, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        self.0.iter().copied()
    }

    /// Whether it is among them.
    pub fn contains(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The codes with a space between, as rows hold them.
    pub fn codes(&self) -> String {
        self.iter().map(Permission::code).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`codes`](Self::codes) wrote. A code that this binary does not know allows nothing.
    pub fn stored(codes: &str) -> Self {
        codes.split(' ').filter_map(Permission::by_code).collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let named: Vec<Permission> = permissions.into_iter().collect();
        Self(Permission::ALL.into_iter().filter(|permission| named.contains(permission)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_each_permission_once_in_the_order_of_the_table_and_reads_back() {
        let set: PermissionSet =
            [Permission::ReadAccounts, Permission::ReadPartners, Permission::ReadAccounts].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Permission::ReadPartners, Permission::ReadAccounts]);
        assert_eq!(set.codes(), "read_partners read_accounts");
        assert_eq!(PermissionSet::stored(&set.codes()), set);
        assert!(set.contains(Permission::ReadAccounts) && !set.contains(Permission::WriteAccounts));
        let all: PermissionSet = Permission::ALL.into_iter().collect();
        assert_eq!(PermissionSet::stored(&all.codes()), all);
    }

    #[test]
    fn what_is_unknown_allows_nothing() {
        assert!(
            PermissionSet::stored("").is_empty() && PermissionSet::stored("launch_rockets  Read_Partners").is_empty()
        );
        assert_eq!(PermissionSet::default().codes(), "");
    }
}
