//! `POST /step-up`: the caller proves again who they are, in the session they have.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{
    guard::UseOwnAccount,
    service::{AuthService, ShownProof},
};

use super::view::AccessTokenView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, SECRET, Secret, TOKEN},
    routes::{Limits, caller::Caller, origin},
};

/// What proves who asks.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct StepUpBody {
    /// Six digits of the authenticator app, or a recovery code: needed when the account has a second factor.
    #[schema(min_length = 1, example = "123456")]
    code: Option<String>,
    /// The password: needed when the account has no second factor.
    #[schema(min_length = 1, format = Password)]
    password: Option<String>,
}

/// Proves again who the caller is, when an answer was 403 `step_up_required`: with a code if the account has a second
/// factor, with the password if not. The session remembers it, so the request can be repeated with either token.
///
/// At most 5 wrong codes or passwords per user in any 60 seconds (by default).
#[utoipa::path(post, path = "/api/v1/auth/step-up", operation_id = "stepUp", tag = "auth", security(("bearer" = [])),
    request_body(content = StepUpBody),
    responses(
        (status = 200, description = "An access token that tells of the proof", body = AccessTokenView),
        (status = 400, description = "Wrong code or password, or the other one is needed", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many wrong proofs", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    body: Body,
    (auth, limits): (Data<AuthService>, Data<Limits>),
) -> Result<Json<AccessTokenView>, ApiError> {
    let mut fields = Object::of(&body);
    let code = fields.optional("code", TOKEN);
    let password = fields.optional("password", SECRET);
    if matches!((&code, &password), (Some(None), Some(None))) {
        fields.refuse(&[], "Either code or password is required");
    }
    let (code, password) = fields.finish(|| Some((code?, password?)))?;
    let shown = ShownProof { code: code.map(Secret::into_inner), password: password.map(Secret::into_inner) };
    let (caller, origin) = (caller.principal(), origin(&context));
    let made = limits.proving(caller.user_id(), &context, auth.step_up(caller, shown, &origin)).await?;
    context.notice(Notice::info("Identity confirmed again"));
    Ok(Json(made.into()))
}
