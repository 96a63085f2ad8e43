//! `GET /mfa`: the caller's second factor.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{guard::UseOwnAccount, service::AuthService};

use super::view::FactorView;
use crate::{error::ApiError, routes::caller::Caller};

/// Whether the caller's log-ins ask for a code, and how many recovery codes are left.
#[utoipa::path(get, path = "/api/v1/auth/mfa", operation_id = "secondFactor", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 200, description = "The second factor", body = FactorView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(in crate::routes::auth) async fn handle(
    caller: Caller<UseOwnAccount>,
    auth: Data<AuthService>,
) -> Result<Json<FactorView>, ApiError> {
    Ok(Json(auth.factor_status(caller.principal()).await?.into()))
}
