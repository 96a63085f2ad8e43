//! What a sign-up answers.

use serde::Serialize;
use sme_pulse_auth::service::Founded;
use utoipa::ToSchema;

use crate::routes::users::PersonView;

/// What came of a sign-up.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum SignUpAnswer {
    /// The organization is there.
    Founded(Box<FoundedView>),
    /// The address has to be confirmed first.
    ToBeConfirmed(ToBeConfirmedView),
}

/// A new organization and its first owner.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundedView {
    /// Key.
    id: i64,
    /// Name of the company.
    #[schema(example = "Acme Ltd")]
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
    /// Always false.
    #[schema(example = false)]
    confirmation_required: bool,
    /// The first owner.
    user: PersonView,
}

/// A mail has to be answered before there is an organization. The answer is the same whoever has the address.
#[derive(Serialize, ToSchema)]
pub(super) struct ToBeConfirmedView {
    /// Name of the company.
    #[schema(example = "Acme Ltd")]
    pub(super) name: String,
    /// The address in normal form.
    #[schema(example = "ann@example.com")]
    pub(super) email: String,
    /// Always true.
    #[schema(example = true)]
    pub(super) confirmation_required: bool,
}

/// A confirmation.
#[derive(Serialize, ToSchema)]
pub(super) struct ConfirmedView {
    /// What was done.
    #[schema(example = "Confirmed; log in")]
    pub(super) message: &'static str,
}

impl From<Founded> for FoundedView {
    fn from(Founded { organization, owner }: Founded) -> Self {
        Self {
            id: organization.id.get(),
            name: organization.name,
            tax_code: organization.tax_code,
            address: organization.address,
            phone: organization.phone,
            email: organization.email,
            is_active: organization.status.is_active(),
            confirmation_required: false,
            user: owner.into(),
        }
    }
}
