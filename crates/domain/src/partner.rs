//! Business partners: customers and suppliers, equal but for the name of their payment term.

use chrono::{DateTime, Utc};

use crate::{
    email::Email,
    ids::{OrgId, PartnerId},
    status::Status,
};

/// Days until a document is due, unless something else is agreed.
pub const DEFAULT_TERM: i32 = 30;
/// Most days until a document is due.
pub const MAX_TERM: i32 = 365;

/// On which side of the ledger a partner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartnerKind {
    /// Owes.
    Customer,
    /// Is owed.
    Supplier,
}

/// A row of `finance.customers` or `finance.suppliers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Key.
    pub id: PartnerId,
    /// The organization whose partner it is.
    pub org: OrgId,
    /// Name.
    pub name: String,
    /// Short code, unique in the organization when given.
    pub code: Option<String>,
    /// Tax code.
    pub tax_code: Option<String>,
    /// Who to talk to.
    pub contact_person: Option<String>,
    /// Address for mails. Stored as text: imports may hold forms that input would refuse.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Days until a document is due, 0 to 365.
    pub term_days: i32,
    /// Inactive ones stay for the sake of their documents, and get no new ones.
    pub status: Status,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What describes a new partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartner {
    /// Short code, unique in the organization when given.
    pub code: Option<String>,
    /// Name.
    pub name: String,
    /// Tax code.
    pub tax_code: Option<String>,
    /// Who to talk to.
    pub contact_person: Option<String>,
    /// Address for mails.
    pub email: Option<Email>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Days until a document is due, 0 to 365.
    pub term_days: i32,
    /// Whether it may get documents from the beginning.
    pub status: Status,
}

/// A partial update: `None` leaves a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartnerPatch {
    /// New name; it cannot be cleared.
    pub name: Option<String>,
    /// New code.
    pub code: Option<Option<String>>,
    /// New tax code.
    pub tax_code: Option<Option<String>>,
    /// New contact.
    pub contact_person: Option<Option<String>>,
    /// New address for mails.
    pub email: Option<Option<Email>>,
    /// New telephone number.
    pub phone: Option<Option<String>>,
    /// New postal address.
    pub address: Option<Option<String>>,
    /// New term; it cannot be cleared.
    pub term_days: Option<i32>,
    /// Taken out of use, or into it again.
    pub status: Option<Status>,
}

impl PartnerPatch {
    /// The patch that takes a partner out of use.
    pub fn deactivation() -> Self {
        Self { status: Some(Status::Inactive), ..Self::default() }
    }
}

impl Partner {
    /// The partner with the patch applied.
    #[must_use]
    pub fn patched(&self, patch: PartnerPatch) -> Self {
        Self {
            name: patch.name.unwrap_or_else(|| self.name.clone()),
            code: patch.code.unwrap_or_else(|| self.code.clone()),
            tax_code: patch.tax_code.unwrap_or_else(|| self.tax_code.clone()),
            contact_person: patch.contact_person.unwrap_or_else(|| self.contact_person.clone()),
            email: match patch.email {
                Some(email) => email.map(|email| email.as_str().to_owned()),
                None => self.email.clone(),
            },
            phone: patch.phone.unwrap_or_else(|| self.phone.clone()),
            address: patch.address.unwrap_or_else(|| self.address.clone()),
            term_days: patch.term_days.unwrap_or(self.term_days),
            status: patch.status.unwrap_or(self.status),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_field_stays_a_null_clears_and_the_key_never_changes() {
        let at = DateTime::from_timestamp_micros(5).unwrap();
        let partner = Partner {
            id: PartnerId::new(7),
            org: OrgId::new(1),
            name: "A".into(),
            code: Some("C".into()),
            tax_code: Some("T".into()),
            contact_person: None,
            email: Some("a@b.de".into()),
            phone: None,
            address: None,
            term_days: 30,
            status: Status::Active,
            created_at: at,
            updated_at: at,
        };
        assert_eq!(partner.patched(PartnerPatch::default()), partner);
        let patch = PartnerPatch { code: Some(None), email: Some(None), term_days: Some(0), ..Default::default() };
        let after = partner.patched(patch);
        assert_eq!((after.code, after.email, after.term_days), (None, None, 0));
        assert_eq!((after.id, after.tax_code.as_deref()), (partner.id, Some("T")));
        assert_eq!(partner.patched(PartnerPatch::deactivation()), Partner { status: Status::Inactive, ..partner });
    }
}
