//! `GET /api/v1/api-keys/{api_key_id}`: one key, without its text.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{guard::ManageApiKeys, service::AuthService};
use sme_pulse_domain::ids::ApiKeyId;

use super::view::ApiKeyView;
use crate::{error::ApiError, input::path_id, routes::caller::Caller};

/// One key.
#[utoipa::path(get, path = "/api/v1/api-keys/{api_key_id}", operation_id = "readApiKey", tag = "api-keys",
    security(("bearer" = [])),
    params(("api_key_id" = i64, Path, description = "The `id` of the key")),
    responses(
        (status = 200, description = "The key", body = ApiKeyView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such key of the organization", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "No integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ManageApiKeys>,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<Json<ApiKeyView>, ApiError> {
    let id = ApiKeyId::new(path_id(&req, "api_key_id")?);
    let (key, now) = auth.api_key(caller.principal(), id).await?;
    Ok(Json(ApiKeyView::of(&key, now)))
}
