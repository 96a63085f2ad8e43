//! `GET /api/v1/invitations/accept`: what a link leads to.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::service::AuthService;

use super::view::OpenInvitationView;
use crate::{
    error::ApiError,
    input::{Query, untrimmed},
};

/// Shows what the link of an invitation leads to. Nothing is used up.
///
/// At most 5 requests per client in any 60 seconds (by default), together with those to accept one.
#[utoipa::path(get, path = "/api/v1/invitations/accept", operation_id = "showInvitation", tag = "invitations",
    params(("token" = String, Query, min_length = 1, description = "The token from the link in the mail")),
    responses(
        (status = 200, description = "The invitation", body = OpenInvitationView),
        (status = 400, description = "Unknown, used, revoked or expired", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "No token", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(req: HttpRequest, auth: Data<AuthService>) -> Result<Json<OpenInvitationView>, ApiError> {
    let mut query = Query::of(&req)?;
    let token = query.required("token", untrimmed(1, usize::MAX));
    let token = query.finish(|| token)?;
    Ok(Json(auth.open_invitation(&token).await?.into()))
}
