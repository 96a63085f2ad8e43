//! `GET /me`: who the caller is, as the server knows it now.

use actix_web::web::Json;
use sme_pulse_auth::guard::UseOwnAccount;

use super::view::MeView;
use crate::{error::ApiError, routes::caller::Caller};

/// The caller: current values, not those of the token.
#[utoipa::path(get, path = "/api/v1/auth/me", operation_id = "me", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 200, description = "The caller", body = MeView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(caller: Caller<UseOwnAccount>) -> Result<Json<MeView>, ApiError> {
    Ok(Json(MeView::of(caller.principal())?))
}
