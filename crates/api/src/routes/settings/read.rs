//! `GET /api/v1/settings`: the data sheet, for every member.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{guard::ReadOrganization, service::AuthService};

use super::view::OrganizationView;
use crate::{error::ApiError, routes::caller::Caller};

/// The organization's data sheet.
#[utoipa::path(get, path = "/api/v1/settings", operation_id = "readSettings", tag = "settings",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The data sheet", body = OrganizationView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ReadOrganization>,
    auth: Data<AuthService>,
) -> Result<Json<OrganizationView>, ApiError> {
    Ok(Json(auth.organization(caller.principal()).await?.into()))
}
