//! `DELETE /api/v1/users/{user_id}`: deactivates a person; owners and admins only.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use sme_pulse_auth::{guard::WriteUsers, service::AuthService};
use sme_pulse_domain::ids::UserId;

use super::update::notice;
use crate::{
    edge::RequestContext,
    error::ApiError,
    input::path_id,
    routes::{caller::Caller, origin},
};

/// Deactivates a person and ends their sessions; of a member from another organization it ends the membership. Repeatable.
#[utoipa::path(delete, path = "/api/v1/users/{user_id}", operation_id = "deleteUser", tag = "users",
    security(("bearer" = [])),
    params(("user_id" = i64, Path, description = "The `id` of the user")),
    responses(
        (status = 204, description = "The person is inactive"),
        (status = 400, description = "The last active owner, or the own account", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "Nobody of that id belongs here", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The id is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<WriteUsers>,
    context: RequestContext,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    let user = UserId::new(path_id(&req, "user_id")?);
    let updated = auth.deactivate_user(caller.principal(), user, &origin(&context)).await?;
    notice(&context, &updated);
    Ok(HttpResponse::NoContent().finish())
}
