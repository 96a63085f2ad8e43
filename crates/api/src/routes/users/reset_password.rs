//! `POST /api/v1/users/{user_id}/reset-password`: sets a person's password; owners and admins only.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{
    guard::WriteUsers,
    service::{AuthService, SetPassword},
};
use sme_pulse_domain::ids::UserId;

use super::view::PasswordSetView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, new_password, path_id},
    routes::{caller::Caller, origin},
};

/// What a client may send along.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct SetPasswordBody {
    /// The new password, under the rules of every new one. Without it a temporary one is drawn and answered.
    #[schema(min_length = 8, format = Password)]
    new_password: Option<String>,
}

/// Sets a person's password. All their sessions end but the calling one.
///
/// Who sets their own gives a proof of the last 15 minutes first (403 `step_up_required`).
#[utoipa::path(post, path = "/api/v1/users/{user_id}/reset-password", operation_id = "resetUserPassword", tag = "users",
    security(("bearer" = [])), request_body(content = Option<SetPasswordBody>),
    params(("user_id" = i64, Path, description = "The `id` of the user")),
    responses(
        (status = 200, description = "The password is set", body = PasswordSetView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it, or a member from another organization", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "Nobody of that id belongs here", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<WriteUsers>,
    context: RequestContext,
    req: HttpRequest,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<PasswordSetView>, ApiError> {
    let (user, new) = if body.is_absent() {
        (path_id(&req, "user_id")?, None)
    } else {
        let (mut fields, rules) = (Object::of(&body), auth.password_rules());
        let user = fields.path_id(&req, "user_id");
        let new = fields.optional("new_password", new_password(rules.min_characters, rules.max_bytes));
        fields.finish(|| Some((user?, new?)))?
    };
    let set = SetPassword {
        user: UserId::new(user),
        new: new.map(crate::input::Secret::into_inner),
        origin: origin(&context),
    };
    let temporary = auth.set_password(caller.principal(), set).await?;
    context.notice(Notice::info("User password set"));
    let temporary_password = temporary.map(|password| password.as_str().to_owned());
    Ok(Json(PasswordSetView { message: "Password reset", temporary_password }))
}
