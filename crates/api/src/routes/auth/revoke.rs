//! `POST /revoke`: ends the session behind a token (RFC 7009).

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::{guard::RevokeTokens, service::AuthService};
use sme_pulse_domain::api_key::KeyKind;

use super::token_body::{TokenBody, token_of};
use crate::{
    edge::{Notice, RequestContext},
    error::{ApiError, Rule},
    input::Body,
    routes::{caller::Watcher, origin},
};

/// Ends the session of a live access or refresh token; all its tokens are refused from now on.
///
/// A token that means nothing here, or to the caller, is answered the same. The session of an owner is ended for owners only.
#[utoipa::path(post, path = "/api/v1/auth/revoke", operation_id = "revokeToken", tag = "auth",
    security(("bearer" = [])),
    request_body(content((TokenBody = "application/x-www-form-urlencoded"), (TokenBody = "application/json"))),
    responses(
        (status = 200, description = "The token counts no longer, if it ever did"),
        (status = 400, description = "A key for programs: this is not where it is revoked", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    watcher: Watcher<RevokeTokens>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    let token = token_of(&body)?;
    // Keys are ended where they were made, and an answer of success would be believed.
    let elsewhere = match KeyKind::of(token.expose()) {
        Some(KeyKind::Organization) => Some("API keys are revoked under /api/v1/api-keys."),
        Some(KeyKind::Service) => Some("Service accounts are revoked by the operator."),
        None => None,
    };
    if let Some(detail) = elsewhere {
        return Err(ApiError::rule(Rule::UnsupportedTokenType, detail));
    }
    if auth.revoke_token(watcher.reach(), token.expose(), &origin(&context)).await?.is_some() {
        context.notice(Notice::info("Session ended").reason("token revoked"));
    }
    Ok(HttpResponse::Ok().finish())
}
