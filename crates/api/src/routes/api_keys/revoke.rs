//! `DELETE /api/v1/api-keys/{api_key_id}`: revokes a key.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use sme_pulse_auth::{guard::ManageApiKeys, service::AuthService};
use sme_pulse_domain::ids::ApiKeyId;

use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::path_id,
    routes::{caller::Caller, origin},
};

/// Revokes a key, whoever made it: the next request with it is refused. Repeatable.
#[utoipa::path(delete, path = "/api/v1/api-keys/{api_key_id}", operation_id = "revokeApiKey", tag = "api-keys",
    security(("bearer" = [])),
    params(("api_key_id" = i64, Path, description = "The `id` of the key")),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such key of the organization", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "No integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ManageApiKeys>,
    context: RequestContext,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    let id = ApiKeyId::new(path_id(&req, "api_key_id")?);
    auth.revoke_api_key(caller.principal(), id, &origin(&context)).await?;
    context.notice(Notice::info("API key revoked"));
    Ok(HttpResponse::NoContent().finish())
}
