//! `POST /mfa/verify`: completes a log-in with a code of the second factor.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::service::{AuthService, CodeAttempt};

use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, TOKEN},
    routes::{
        auth::{device, log_in::user_agent, view::LogInView},
        origin,
    },
};

/// What a client sends to complete a log-in.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(in crate::routes::auth) struct VerifyBody {
    /// The `mfa_token` of the log-in.
    #[schema(min_length = 1, example = "spm_…")]
    mfa_token: String,
    /// Six digits of the authenticator app, or a recovery code. Spaces, hyphens and letter case do not matter.
    #[schema(min_length = 1, example = "123456")]
    code: String,
}

/// Completes a log-in with a code, and opens a session for the device. A log-in waits 300 seconds for its code and takes
/// five of them at most; a code counts once. All refusals look alike.
///
/// At most 5 requests per client in any 60 seconds (by default), whatever their outcome.
#[utoipa::path(post, path = "/api/v1/auth/mfa/verify", operation_id = "verifySecondFactor", tag = "auth",
    request_body(content = VerifyBody),
    params(("X-Device-Token" = Option<String>, Header, description = "The `device_token` of an earlier log-in with a second factor; \
        browsers send it as the cookie `sme_pulse_device` by themselves")),
    responses(
        (status = 200, description = "Signed in", body = LogInView),
        (status = 401, description = "Wrong or used code, or the log-in waits no longer", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many attempts", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(in crate::routes::auth) async fn handle(
    req: HttpRequest,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<LogInView>, ApiError> {
    let mut fields = Object::of(&body);
    let token = fields.required("mfa_token", TOKEN);
    let code = fields.required("code", TOKEN);
    let (token, code) = fields.finish(|| Some((token?.into_inner(), code?.into_inner())))?;
    let device = device::presented(&req, &auth);
    let attempt = CodeAttempt { token, code, user_agent: user_agent(&req), device, origin: origin(&context) };
    let done = auth.complete_log_in(attempt).await?;
    device::keep(&req, &context, &done.signed_in);
    let user = &done.signed_in.user;
    context.identify(user.id.get(), done.signed_in.org.get());
    let notice = Notice::info("Successful login").email(user.email.masked().to_string());
    context.notice(if done.by_recovery_code { notice.reason("recovery code") } else { notice });
    Ok(Json(done.signed_in.into()))
}
