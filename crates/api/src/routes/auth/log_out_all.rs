//! `POST /logout-all`: ends the caller's sessions on all other devices, or on this one too.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{guard::UseOwnAccount, service::AuthService};

use super::view::EndedView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{BOOLEAN, Body, Object},
    routes::{caller::Caller, origin},
};

/// What a client may send along.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct LogOutAllBody {
    /// Whether the calling session ends as well.
    #[schema(default = false, nullable = false)]
    include_current: Option<bool>,
}

/// Ends the caller's sessions, all but the calling one unless told otherwise; their tokens are refused from now on.
#[utoipa::path(post, path = "/api/v1/auth/logout-all", operation_id = "logOutAll", tag = "auth",
    security(("bearer" = [])), request_body(content = Option<LogOutAllBody>),
    responses(
        (status = 200, description = "The sessions have ended", body = EndedView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<EndedView>, ApiError> {
    let include_current = !body.is_absent() && {
        let mut fields = Object::of(&body);
        let include_current = fields.or("include_current", BOOLEAN, false);
        fields.finish(|| include_current)?
    };
    let ended = auth.end_sessions(caller.principal(), include_current, &origin(&context)).await?;
    context.notice(Notice::info("Session ended").reason("log-out everywhere"));
    let message = if include_current { "Logged out of all sessions" } else { "Logged out of all other sessions" };
    Ok(Json(EndedView { message, ended }))
}
