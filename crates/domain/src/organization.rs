//! An organization: the tenant, and the data sheet its owners and admins keep.

use crate::{email::Email, ids::OrgId, role::RoleSet, status::Status};

/// A row of `core.organizations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Key.
    pub id: OrgId,
    /// Name of the company.
    pub name: String,
    /// Tax code, unique over all organizations.
    pub tax_code: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Contact address. Stored as text: seeds and imports may hold forms that input would refuse.
    pub email: Option<String>,
    /// Inactive means suspended: no log-in, no token works.
    pub status: Status,
}

/// An active organization as one of its people sees it among theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Key.
    pub org: OrgId,
    /// Name of the company.
    pub name: String,
    /// The roles the person holds there.
    pub roles: RoleSet,
    /// Whether it is the person's home.
    pub is_home: bool,
}

/// A partial update: `None` leaves a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationPatch {
    /// New name; it cannot be cleared.
    pub name: Option<String>,
    /// New tax code.
    pub tax_code: Option<Option<String>>,
    /// New postal address.
    pub address: Option<Option<String>>,
    /// New telephone number.
    pub phone: Option<Option<String>>,
    /// New contact address.
    pub email: Option<Option<Email>>,
}

impl Organization {
    /// The data sheet with the patch applied.
    #[must_use]
    pub fn patched(&self, patch: OrganizationPatch) -> Self {
        Self {
            id: self.id,
            name: patch.name.unwrap_or_else(|| self.name.clone()),
            tax_code: patch.tax_code.unwrap_or_else(|| self.tax_code.clone()),
            address: patch.address.unwrap_or_else(|| self.address.clone()),
            phone: patch.phone.unwrap_or_else(|| self.phone.clone()),
            email: match patch.email {
                Some(email) => email.map(|email| email.as_str().to_owned()),
                None => self.email.clone(),
            },
            status: self.status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_field_stays_and_a_null_clears() {
        let sheet = Organization {
            id: OrgId::new(1),
            name: "A".into(),
            tax_code: Some("T".into()),
            address: None,
            phone: Some("1".into()),
            email: None,
            status: Status::Active,
        };
        let patch = OrganizationPatch { phone: Some(None), address: Some(Some("B".into())), ..Default::default() };
        let after = sheet.patched(patch);
        assert_eq!((after.name.as_str(), after.tax_code.as_deref()), ("A", Some("T")));
        assert_eq!((after.phone, after.address.as_deref()), (None, Some("B")));
    }
}
