//! What the routes of partners answer.

use serde::Serialize;
use sme_pulse_domain::partner::Partner;
use utoipa::ToSchema;

use crate::routes::timestamp;

/// A customer.
#[derive(Serialize, ToSchema)]
pub(super) struct CustomerView {
    /// Key.
    id: i64,
    /// The organization.
    org_id: i64,
    /// Name.
    #[schema(example = "Tech Corp")]
    name: String,
    /// Short code.
    #[schema(example = "CUS001")]
    code: Option<String>,
    /// Tax code.
    tax_code: Option<String>,
    /// Who to talk to.
    contact_person: Option<String>,
    /// Address for mails.
    email: Option<String>,
    /// Telephone number.
    phone: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Days until an invoice is due.
    #[schema(minimum = 0, maximum = 365, example = 30)]
    credit_term: i32,
    /// Whether it may get new documents.
    is_active: bool,
    /// When it was added.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    updated_at: String,
}

impl CustomerView {
    pub(super) fn of(partner: &Partner) -> Self {
        Self {
            id: partner.id.get(),
            org_id: partner.org.get(),
            name: partner.name.clone(),
            code: partner.code.clone(),
            tax_code: partner.tax_code.clone(),
            contact_person: partner.contact_person.clone(),
            email: partner.email.clone(),
            phone: partner.phone.clone(),
            address: partner.address.clone(),
            credit_term: partner.term_days,
            is_active: partner.status.is_active(),
            created_at: timestamp(partner.created_at),
            updated_at: timestamp(partner.updated_at),
        }
    }
}

/// A supplier.
#[derive(Serialize, ToSchema)]
pub(super) struct SupplierView {
    /// Key.
    id: i64,
    /// The organization.
    org_id: i64,
    /// Name.
    #[schema(example = "Tech Corp")]
    name: String,
    /// Short code.
    #[schema(example = "CUS001")]
    code: Option<String>,
    /// Tax code.
    tax_code: Option<String>,
    /// Who to talk to.
    contact_person: Option<String>,
    /// Address for mails.
    email: Option<String>,
    /// Telephone number.
    phone: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Days until a bill is due.
    #[schema(minimum = 0, maximum = 365, example = 30)]
    payment_term: i32,
    /// Whether it may get new documents.
    is_active: bool,
    /// When it was added.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    updated_at: String,
}

impl SupplierView {
    pub(super) fn of(partner: &Partner) -> Self {
        Self {
            id: partner.id.get(),
            org_id: partner.org.get(),
            name: partner.name.clone(),
            code: partner.code.clone(),
            tax_code: partner.tax_code.clone(),
            contact_person: partner.contact_person.clone(),
            email: partner.email.clone(),
            phone: partner.phone.clone(),
            address: partner.address.clone(),
            payment_term: partner.term_days,
            is_active: partner.status.is_active(),
            created_at: timestamp(partner.created_at),
            updated_at: timestamp(partner.updated_at),
        }
    }
}
