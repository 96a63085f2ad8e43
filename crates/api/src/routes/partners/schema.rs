//! The bodies of partners as the description of the API shows them; the handlers read them field by field.
#![expect(dead_code, reason = "these types describe bodies and are never made")]

use utoipa::ToSchema;

/// A new customer: only the name is needed.
#[derive(ToSchema)]
pub(super) struct NewCustomerBody {
    /// Name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]")]
    name: String,
    /// Short code, unique in the organization when given.
    #[schema(max_length = 50)]
    code: Option<String>,
    /// Tax code.
    #[schema(max_length = 50)]
    tax_code: Option<String>,
    /// Who to talk to.
    #[schema(max_length = 255)]
    contact_person: Option<String>,
    /// Address for mails.
    #[schema(format = Email)]
    email: Option<String>,
    /// Telephone number.
    #[schema(max_length = 50)]
    phone: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Days until an invoice is due.
    #[schema(minimum = 0, maximum = 365, default = 30, nullable = false)]
    credit_term: Option<i32>,
    /// Whether it may get new documents.
    #[schema(default = true, nullable = false)]
    is_active: Option<bool>,
}

/// A partial update: absent fields stay, null clears all but name, term and `is_active`.
#[derive(ToSchema)]
pub(super) struct CustomerBody {
    /// Name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]", nullable = false)]
    name: Option<String>,
    /// Short code, unique in the organization when given.
    #[schema(max_length = 50)]
    code: Option<String>,
    /// Tax code.
    #[schema(max_length = 50)]
    tax_code: Option<String>,
    /// Who to talk to.
    #[schema(max_length = 255)]
    contact_person: Option<String>,
    /// Address for mails.
    #[schema(format = Email)]
    email: Option<String>,
    /// Telephone number.
    #[schema(max_length = 50)]
    phone: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Days until an invoice is due.
    #[schema(minimum = 0, maximum = 365, nullable = false)]
    credit_term: Option<i32>,
    /// Whether it may get new documents.
    #[schema(nullable = false)]
    is_active: Option<bool>,
}

/// A new supplier: only the name is needed.
#[derive(ToSchema)]
pub(super) struct NewSupplierBody {
    /// Name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]")]
    name: String,
    /// Short code, unique in the organization when given.
    #[schema(max_length = 50)]
    code: Option<String>,
    /// Tax code.
    #[schema(max_length = 50)]
    tax_code: Option<String>,
    /// Who to talk to.
    #[schema(max_length = 255)]
    contact_person: Option<String>,
    /// Address for mails.
    #[schema(format = Email)]
    email: Option<String>,
    /// Telephone number.
    #[schema(max_length = 50)]
    phone: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Days until a bill is due.
    #[schema(minimum = 0, maximum = 365, default = 30, nullable = false)]
    payment_term: Option<i32>,
    /// Whether it may get new documents.
    #[schema(default = true, nullable = false)]
    is_active: Option<bool>,
}

/// A partial update: absent fields stay, null clears all but name, term and `is_active`.
#[derive(ToSchema)]
pub(super) struct SupplierBody {
    /// Name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]", nullable = false)]
    name: Option<String>,
    /// Short code, unique in the organization when given.
    #[schema(max_length = 50)]
    code: Option<String>,
    /// Tax code.
    #[schema(max_length = 50)]
    tax_code: Option<String>,
    /// Who to talk to.
    #[schema(max_length = 255)]
    contact_person: Option<String>,
    /// Address for mails.
    #[schema(format = Email)]
    email: Option<String>,
    /// Telephone number.
    #[schema(max_length = 50)]
    phone: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Days until a bill is due.
    #[schema(minimum = 0, maximum = 365, nullable = false)]
    payment_term: Option<i32>,
    /// Whether it may get new documents.
    #[schema(nullable = false)]
    is_active: Option<bool>,
}
