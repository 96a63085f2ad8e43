//! `POST /refresh`: a refresh token for new tokens of the same session.

use actix_web::web::{Data, Json};
use sme_pulse_auth::service::AuthService;

use super::view::LogInView;
use crate::{
    edge::RequestContext,
    error::ApiError,
    input::{Body, Object, TOKEN},
    routes::{Limits, limits::RefreshKey, origin},
};

/// What a client sends for new tokens.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct RefreshBody {
    /// The newest refresh token of the session.
    #[schema(min_length = 1, example = "spr_…")]
    refresh_token: String,
}

/// Gives new tokens for a refresh token, which is used up by that.
///
/// If the answer was lost, the same token gives the same refresh token again until that one is used. A token that comes
/// back later ends the session.
#[utoipa::path(post, path = "/api/v1/auth/refresh", operation_id = "refresh", tag = "auth",
    request_body(content = RefreshBody),
    responses(
        (status = 200, description = "New tokens; user and roles as they are now", body = LogInView),
        (status = 401, description = "Refused: malformed, used up, ended or expired",
            body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many attempts", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
    limits: Data<Limits>,
) -> Result<Json<LogInView>, ApiError> {
    let mut fields = Object::of(&body);
    let token = fields.required("refresh_token", TOKEN);
    let presented = fields.finish(|| Some(auth.presented(token?.expose())));
    // Bodies without a token count like guesses: by the client alone.
    let session = presented.as_ref().ok().and_then(|presented| presented.session());
    limits.refresh.admit(RefreshKey::new(&context, session), &context).await?;
    let done = auth.refresh(presented?, &origin(&context)).await?;
    context.identify(done.user.id.get(), done.org.get());
    Ok(Json(done.into()))
}
