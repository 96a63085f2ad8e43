//! `POST /api/v1/invitations/join`: an invited person joins with the account they have.

use actix_web::web::{Data, Json};
use sme_pulse_auth::{guard::UseOwnAccount, service::AuthService};

use super::view::PlaceView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, TOKEN},
    routes::{caller::Caller, origin},
};

/// What somebody who is signed in sends to join another organization.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct JoinBody {
    /// The token from the link in the mail.
    #[schema(min_length = 1, example = "spi_…")]
    token: String,
}

/// Makes the caller, whose address was invited, a member of the organization, with the roles of the invitation. The link
/// is used up; `POST /api/v1/auth/switch-organization` leads there.
///
/// At most 5 requests per client in any 60 seconds (by default), together with those to see or accept an invitation.
#[utoipa::path(post, path = "/api/v1/invitations/join", operation_id = "joinOrganization", tag = "invitations",
    security(("bearer" = [])), request_body(content = JoinBody),
    responses(
        (status = 200, description = "The organization", body = PlaceView),
        (status = 400, description = "Unknown, used, revoked, expired or of another address; or a member already", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<PlaceView>, ApiError> {
    let mut fields = Object::of(&body);
    let token = fields.required("token", TOKEN);
    let token = fields.finish(|| Some(token?.into_inner()))?;
    let caller = caller.principal();
    let place = auth.join_organization(caller, &token, &origin(&context)).await?;
    let joined = Notice::info("Invitation accepted");
    context.notice(match caller.user() {
        Some(user) => joined.email(user.email.masked().to_string()),
        None => joined,
    });
    Ok(Json(PlaceView::of(place, false)))
}
