//! What the settings routes answer.

use serde::Serialize;
use sme_pulse_domain::organization::Organization;
use utoipa::ToSchema;

/// The organization's data sheet.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganizationView {
    /// Key.
    id: i64,
    /// Name of the company.
    #[schema(example = "SME Demo Company")]
    name: String,
    /// Tax code.
    tax_code: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Telephone number.
    phone: Option<String>,
    /// Contact address.
    email: Option<String>,
    /// Whether the organization is active.
    is_active: bool,
}

impl From<Organization> for OrganizationView {
    fn from(sheet: Organization) -> Self {
        Self {
            id: sheet.id.get(),
            name: sheet.name,
            tax_code: sheet.tax_code,
            address: sheet.address,
            phone: sheet.phone,
            email: sheet.email,
            is_active: sheet.status.is_active(),
        }
    }
}
