//! `POST /change-password`: a new password in place of the known one.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{
    guard::UseOwnAccount,
    service::{AuthService, ChangePassword, PasswordError},
};

use super::view::MessageView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, SECRET, new_password},
    routes::{Limits, caller::Caller, origin},
};

/// What a client sends to change its user's password.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct ChangePasswordBody {
    /// The password so far, exactly.
    #[schema(min_length = 1, format = Password)]
    old_password: String,
    /// The new one: at least 8 characters (by default), at most 72 bytes, none of the most common ones, and not the
    /// user's name or address.
    #[schema(min_length = 8, format = Password)]
    new_password: String,
}

/// Changes the caller's password. Their other sessions end; the calling one stays.
///
/// At most 5 wrong old passwords per user in any 60 seconds (by default).
#[utoipa::path(post, path = "/api/v1/auth/change-password", operation_id = "changePassword", tag = "auth",
    security(("bearer" = [])), request_body(content = ChangePasswordBody),
    responses(
        (status = 200, description = "Changed", body = MessageView),
        (status = 400, description = "The old password is wrong", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "Changed by somebody else meanwhile", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many wrong passwords", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
    limits: Data<Limits>,
) -> Result<Json<MessageView>, ApiError> {
    let (mut fields, rules, caller) = (Object::of(&body), auth.password_rules(), caller.principal());
    let old = fields.required("old_password", SECRET);
    let new = fields.required("new_password", new_password(rules.min_characters, rules.max_bytes));
    let (old, new) = fields.finish(|| Some((old?.into_inner(), new?.into_inner())))?;
    let user = caller.user_id();
    // Counted before the hash, so that parallel guesses cannot overrun the budget; only wrong ones stay counted.
    let admission = limits.change_password.admit(user, &context).await?;
    let changed = auth.change_password(caller, ChangePassword { old, new, origin: origin(&context) }).await;
    if !matches!(changed, Err(PasswordError::WrongPassword | PasswordError::UnreadableHash(_))) {
        limits.change_password.refund(user, admission, &context).await;
    }
    changed?;
    context.notice(Notice::info("Password changed"));
    Ok(Json(MessageView { message: "Password changed" }))
}
