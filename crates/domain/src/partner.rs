//! Business partners: customers and suppliers, equal but for the name of their payment term.

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
    /// Days until a document is due, 0 to 365.
    pub term_days: i32,
}
