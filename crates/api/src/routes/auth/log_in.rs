//! `POST /login`: credentials for an access token and a new session, or for the next question.

use actix_web::{
    HttpRequest,
    http::header,
    web::{Data, Json},
};
use sme_pulse_auth::service::{AuthService, LogIn, LogInOutcome};

use super::{
    device,
    view::{FactorNeededView, LogInAnswer},
};
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, EMAIL, Object, SECRET},
    routes::origin,
};

/// What a client sends to sign in.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct LogInBody {
    /// The e-mail address, in any letter case.
    #[schema(example = "admin@sme.com")]
    email: String,
    /// The password, exactly.
    #[schema(min_length = 1, format = Password, example = "123456")]
    password: String,
}

/// Signs a user in and opens a session for the device. A user with a second factor gets an `mfa_token` instead, to be
/// sent to `/mfa/verify` with a code; nothing is open until then.
///
/// At most 5 requests per client in any 60 seconds (by default), whatever their outcome. After 10 failed log-ins at one
/// address, whoever sent them, each further one makes the next wait longer, up to 20 minutes; a device that presents
/// its `device_token` of an earlier log-in is counted for itself and never waits for others.
#[utoipa::path(post, path = "/api/v1/auth/login", operation_id = "logIn", tag = "auth",
    request_body(content = LogInBody),
    params(("X-Device-Token" = Option<String>, Header, description = "The `device_token` of an earlier log-in; browsers send it \
        as the cookie `sme_pulse_device` by themselves")),
    responses(
        (status = 200, description = "Signed in, or a code is needed", body = LogInAnswer),
        (status = 401, description = "Wrong credentials", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many attempts", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Too many log-ins at once", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    req: HttpRequest,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<LogInAnswer>, ApiError> {
    let mut fields = Object::of(&body);
    let email = fields.required("email", EMAIL);
    let password = fields.required("password", SECRET);
    let (email, password) = fields.finish(|| Some((email?, password?)))?;
    let masked = email.masked().to_string();
    let attempt = LogIn {
        email,
        password: password.into_inner(),
        user_agent: user_agent(&req),
        device: device::presented(&req, &auth),
        origin: origin(&context),
    };
    let (user, org, text, answer) = match auth.log_in(attempt).await? {
        LogInOutcome::SignedIn(done) => {
            device::keep(&req, &context, &done);
            (done.user.clone(), done.org, "Successful login", LogInAnswer::SignedIn(done.into()))
        }
        LogInOutcome::FactorNeeded(pending) => {
            let answer = LogInAnswer::FactorNeeded(FactorNeededView::from(&pending));
            let home = pending.user.org;
            (pending.user, home, "Second factor required", answer)
        }
    };
    context.identify(user.id.get(), org.get());
    context.notice(Notice::info(text).email(masked));
    Ok(Json(answer))
}

/// The client's user agent, fit to be stored and shown.
pub(super) fn user_agent(req: &HttpRequest) -> Option<String> {
    req.headers().get(header::USER_AGENT).map(|agent| printable(agent.as_bytes()))
}

/// A user agent as text: what is no UTF-8 or controls a terminal is replaced, so that it can be stored and shown.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}
