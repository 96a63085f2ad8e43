//! `POST /mfa/disable`: removes the caller's second factor.

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::{
    guard::UseOwnAccount,
    service::{AuthService, ShownProof},
};

use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, SECRET, Secret, TOKEN},
    routes::{Limits, caller::Caller, origin},
};

/// What proves who asks; both may be absent.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(in crate::routes::auth) struct DisableBody {
    /// Six digits of the authenticator app, or a recovery code; it counts first.
    #[schema(min_length = 1, example = "123456")]
    code: Option<String>,
    /// The password.
    #[schema(min_length = 1, format = Password)]
    password: Option<String>,
}

/// Removes the second factor and its recovery codes. A code or the password in the body proves who asks; without either
/// the second factor must have been shown in this session within the last 15 minutes.
///
/// At most 5 wrong codes or passwords per user in any 60 seconds (by default).
#[utoipa::path(post, path = "/api/v1/auth/mfa/disable", operation_id = "disableSecondFactor", tag = "auth",
    security(("bearer" = [])), request_body(content = DisableBody),
    responses(
        (status = 204, description = "Log-ins ask for the password alone again"),
        (status = 400, description = "Wrong code or password", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "A step-up is needed", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The second factor is not enabled", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many wrong proofs", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(in crate::routes::auth) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    body: Body,
    (auth, limits): (Data<AuthService>, Data<Limits>),
) -> Result<HttpResponse, ApiError> {
    // Without a body at all, nothing is shown.
    let mut fields = if body.bytes().is_empty() { Object::from_bytes(b"{}", true) } else { Object::of(&body) };
    let code = fields.optional("code", TOKEN);
    let password = fields.optional("password", SECRET);
    let (code, password) = fields.finish(|| Some((code?, password?)))?;
    let shown = ShownProof { code: code.map(Secret::into_inner), password: password.map(Secret::into_inner) };
    let (caller, origin) = (caller.principal(), origin(&context));
    limits.proving(caller.user_id(), &context, auth.remove_factor(caller, shown, &origin)).await?;
    context.notice(Notice::info("Second factor disabled"));
    Ok(HttpResponse::NoContent().finish())
}
