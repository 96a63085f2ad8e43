//! `GET /sessions` and `DELETE /sessions/{session_id}`: the caller's own sessions, on all their devices.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use sme_pulse_auth::{
    guard::UseOwnAccount,
    service::{AuthService, SessionError},
};
use sme_pulse_domain::ids::SessionId;
use uuid::Uuid;

use super::view::SessionView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    routes::{caller::Caller, origin},
};

/// The caller's live sessions, newest first.
#[utoipa::path(get, path = "/api/v1/auth/sessions", operation_id = "listSessions", tag = "auth",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The sessions", body = [SessionView]),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn list(
    caller: Caller<UseOwnAccount>,
    auth: Data<AuthService>,
) -> Result<Json<Vec<SessionView>>, ApiError> {
    let caller = caller.principal();
    let sessions = auth.sessions(caller).await?;
    Ok(Json(sessions.into_iter().map(|session| SessionView::of(session, caller.session())).collect()))
}

/// Ends one of the caller's sessions; its token is refused from now on.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{session_id}", operation_id = "endSession", tag = "auth",
    security(("bearer" = [])),
    params(("session_id" = Uuid, Path, description = "The `id` of the session")),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such live session of the caller", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn end(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    // An id that is no UUID names no session.
    let id =
        req.match_info().get("session_id").and_then(|id| Uuid::try_parse(id).ok()).ok_or(SessionError::NotFound)?;
    auth.end_session(caller.principal(), SessionId::new(id), &origin(&context)).await?;
    context.notice(Notice::info("Session ended").reason("ended by its user"));
    Ok(HttpResponse::NoContent().finish())
}
