//! `POST /mfa/confirm`: the first code of an authenticator app enables the second factor.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{guard::UseOwnAccount, service::AuthService};

use super::view::RecoveryCodesView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, TOKEN},
    routes::{Limits, caller::Caller, origin},
};

/// What a client sends to enable the second factor.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(in crate::routes::auth) struct ConfirmBody {
    /// Six digits of the authenticator app.
    #[schema(min_length = 1, example = "123456")]
    code: String,
}

/// Enables the second factor with a code of the new secret, and gives ten recovery codes. Other sessions go on.
///
/// At most 5 wrong codes or passwords per user in any 60 seconds (by default).
#[utoipa::path(post, path = "/api/v1/auth/mfa/confirm", operation_id = "confirmSecondFactor", tag = "auth",
    security(("bearer" = [])), request_body(content = ConfirmBody),
    responses(
        (status = 200, description = "Enabled; the recovery codes, shown once", body = RecoveryCodesView),
        (status = 400, description = "Wrong code", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "Nothing to confirm, or enabled already", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many wrong codes", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(in crate::routes::auth) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    body: Body,
    (auth, limits): (Data<AuthService>, Data<Limits>),
) -> Result<Json<RecoveryCodesView>, ApiError> {
    let mut fields = Object::of(&body);
    let code = fields.required("code", TOKEN);
    let code = fields.finish(|| code)?;
    let (caller, origin) = (caller.principal(), origin(&context));
    let confirmed = auth.confirm_factor(caller, code.expose(), &origin);
    let codes = limits.proving(caller.user_id(), &context, confirmed).await?;
    context.notice(Notice::info("Second factor enabled"));
    Ok(Json(codes.into()))
}
