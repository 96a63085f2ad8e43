//! `POST /forgot-password`: asks for a mail with a link to set a new password.

use actix_web::web::{Data, Json};
use sme_pulse_auth::service::{AuthService, ResetRequest};

use super::view::ForgotPasswordView;
use crate::{
    edge::RequestContext,
    error::ApiError,
    input::{Body, EMAIL_AS_SENT, Object},
    routes::origin,
};

/// What a client sends for somebody who has forgotten their password.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct ForgotPasswordBody {
    /// The e-mail address, in any letter case.
    #[schema(format = Email, example = "admin@sme.com")]
    email: String,
}

/// Asks for a mail with a link that sets a new password. The answer is the same whether anybody has the address or not.
///
/// The link works once, for 30 minutes, and voids older ones. At most 5 requests per client in any 60 seconds (by
/// default), together with those to set the password.
#[utoipa::path(post, path = "/api/v1/auth/forgot-password", operation_id = "forgotPassword", tag = "auth",
    request_body(content = ForgotPasswordBody),
    responses(
        (status = 200, description = "Noted; if an active user has the address, a mail follows", body = ForgotPasswordView),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<ForgotPasswordView>, ApiError> {
    let mut fields = Object::of(&body);
    let email = fields.required("email", EMAIL_AS_SENT);
    let (email, as_sent) = fields.finish(|| email)?;
    auth.request_reset(ResetRequest { email, origin: origin(&context) })?;
    Ok(Json(ForgotPasswordView::new(as_sent)))
}
