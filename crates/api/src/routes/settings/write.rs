//! `PUT /api/v1/settings`: changes the data sheet; owners and admins only.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{guard::WriteOrganization, service::AuthService};
use sme_pulse_domain::{
    organization::OrganizationPatch,
    text::{CODE, NAME},
};

use super::view::OrganizationView;
use crate::{
    edge::RequestContext,
    error::ApiError,
    input::{Body, EMAIL, Object, text},
    routes::{caller::Caller, origin},
};

/// A partial update: absent fields stay, null clears all but the name.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct SettingsBody {
    /// Name of the company.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]", nullable = false)]
    name: Option<String>,
    /// Tax code, unique over all organizations.
    #[schema(max_length = 50)]
    tax_code: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Telephone number.
    #[schema(max_length = 50)]
    phone: Option<String>,
    /// Contact address.
    #[schema(format = Email)]
    email: Option<String>,
}

/// Changes the organization's data sheet.
#[utoipa::path(put, path = "/api/v1/settings", operation_id = "writeSettings", tag = "settings",
    security(("bearer" = [])), request_body(content = SettingsBody),
    responses(
        (status = 200, description = "The data sheet as it is now", body = OrganizationView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "Tax code of another organization", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<WriteOrganization>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<OrganizationView>, ApiError> {
    let mut fields = Object::of(&body);
    let name = fields.changed("name", text(1, NAME));
    let tax_code = fields.nullable("tax_code", text(1, CODE));
    // Bounded by the body alone: the column has no limit.
    let address = fields.nullable("address", text(1, usize::MAX));
    let phone = fields.nullable("phone", text(1, CODE));
    let email = fields.nullable("email", EMAIL);
    let patch = fields.finish(|| {
        Some(OrganizationPatch { name: name?, tax_code: tax_code?, address: address?, phone: phone?, email: email? })
    })?;
    Ok(Json(auth.update_organization(caller.principal(), &patch, &origin(&context)).await?.into()))
}
