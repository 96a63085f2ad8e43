//! `GET /api/v1/users/{user_id}`: one person, for owners and admins, and for themselves.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{guard::UseOwnAccount, service::AuthService};
use sme_pulse_domain::ids::UserId;

use super::view::PersonView;
use crate::{error::ApiError, input::path_id, routes::caller::Caller};

/// One person. Who is neither owner nor admin sees themselves only.
#[utoipa::path(get, path = "/api/v1/users/{user_id}", operation_id = "readUser", tag = "users",
    security(("bearer" = [])),
    params(("user_id" = i64, Path, description = "The `id` of the user")),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "Somebody else, and no role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "Nobody of that id belongs here", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The id is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<UseOwnAccount>,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<Json<PersonView>, ApiError> {
    let user = UserId::new(path_id(&req, "user_id")?);
    Ok(Json(auth.user(caller.principal(), user).await?.into()))
}
