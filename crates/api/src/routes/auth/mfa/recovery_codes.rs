//! `POST /mfa/recovery-codes`: ten new recovery codes in place of the old ones.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{
    guard::UseOwnAccount,
    service::{AuthService, RECENT_MINUTES},
};

use super::view::RecoveryCodesView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    routes::{caller::RecentCaller, origin},
};

/// Gives ten new recovery codes; all from before are void. The caller must have shown the second factor within the last
/// 15 minutes.
#[utoipa::path(post, path = "/api/v1/auth/mfa/recovery-codes", operation_id = "renewRecoveryCodes", tag = "auth",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The recovery codes, shown once", body = RecoveryCodesView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "A step-up is needed", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The second factor is not enabled", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(in crate::routes::auth) async fn handle(
    caller: RecentCaller<UseOwnAccount, RECENT_MINUTES>,
    context: RequestContext,
    auth: Data<AuthService>,
) -> Result<Json<RecoveryCodesView>, ApiError> {
    let codes = auth.renew_recovery_codes(caller.principal(), &origin(&context)).await?;
    context.notice(Notice::info("Recovery codes renewed"));
    Ok(Json(codes.into()))
}
