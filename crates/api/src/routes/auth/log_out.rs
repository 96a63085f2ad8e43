//! `POST /logout`: ends the calling session.

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::{guard::UseOwnAccount, service::AuthService};

use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    routes::{caller::Caller, origin},
};

/// Ends the calling session; its token is refused from now on.
#[utoipa::path(post, path = "/api/v1/auth/logout", operation_id = "logOut", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    auth.log_out(caller.principal(), &origin(&context)).await?;
    context.notice(Notice::info("Session ended").reason("log-out"));
    Ok(HttpResponse::NoContent().finish())
}
