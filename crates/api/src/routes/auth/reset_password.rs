//! `POST /reset-password`: sets a new password with the token from a mail.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::service::{AuthService, ResetPassword};

use super::{device, view::MessageView};
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, TOKEN, new_password},
    routes::origin,
};

/// What a client sends to set a forgotten password anew.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct ResetPasswordBody {
    /// The token from the link in the mail.
    #[schema(min_length = 1, example = "spw_…")]
    token: String,
    /// The new password: at least 8 characters (by default), at most 72 bytes, none of the most common ones, and not the
    /// user's name or address.
    #[schema(min_length = 8, format = Password)]
    new_password: String,
}

/// Sets a new password with the token from a mail. All sessions of the user end.
///
/// At most 5 requests per client in any 60 seconds (by default), together with those for a link.
#[utoipa::path(post, path = "/api/v1/auth/reset-password", operation_id = "resetPassword", tag = "auth",
    request_body(content = ResetPasswordBody),
    responses(
        (status = 200, description = "The password is set", body = MessageView),
        (status = 400, description = "The token is unknown, used or expired", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    req: HttpRequest,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<MessageView>, ApiError> {
    let (mut fields, rules) = (Object::of(&body), auth.password_rules());
    let token = fields.required("token", TOKEN);
    let new = fields.required("new_password", new_password(rules.min_characters, rules.max_bytes));
    let (token, new) = fields.finish(|| Some((token?.into_inner(), new?.into_inner())))?;
    let user = auth.reset_password(ResetPassword { token, new, origin: origin(&context) }).await?;
    context.identify(user.id.get(), user.org.get());
    context.notice(Notice::info("Password reset"));
    // Who reads the mail is the owner: on this device nobody else's guesses slow them down from now on.
    let device_token = auth.known_device(user.id, device::presented(&req, &auth).as_deref());
    device::keep_token(&req, &context, &device_token);
    Ok(Json(MessageView { message: "Password reset; log in with the new one" }))
}
