//! `POST /mfa/enroll`: a new secret for the caller's authenticator app.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{
    guard::UseOwnAccount,
    service::{AuthService, RECENT_MINUTES},
};

use super::view::EnrolmentView;
use crate::{
    edge::RequestContext,
    error::ApiError,
    routes::{caller::RecentCaller, origin},
};

/// Makes a secret for an authenticator app, in place of one that was not confirmed. Log-ins ask for codes only once it is
/// confirmed. The caller must have proved who they are within the last 15 minutes.
#[utoipa::path(post, path = "/api/v1/auth/mfa/enroll", operation_id = "enrollSecondFactor", tag = "auth",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The secret, shown once", body = EnrolmentView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "A step-up is needed", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The second factor is enabled already", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(in crate::routes::auth) async fn handle(
    caller: RecentCaller<UseOwnAccount, RECENT_MINUTES>,
    context: RequestContext,
    auth: Data<AuthService>,
) -> Result<Json<EnrolmentView>, ApiError> {
    Ok(Json(auth.enrol_factor(caller.principal(), &origin(&context)).await?.into()))
}
