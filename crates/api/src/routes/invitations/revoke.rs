//! `DELETE /api/v1/invitations/{invitation_id}`: takes an invitation back.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use sme_pulse_auth::{guard::ManageInvitations, service::AuthService};
use sme_pulse_domain::ids::InvitationId;

use crate::{
    edge::RequestContext,
    error::ApiError,
    input::path_id,
    routes::{caller::Caller, origin},
};

/// Takes an invitation back: its link opens nothing any more. Repeatable.
#[utoipa::path(delete, path = "/api/v1/invitations/{invitation_id}", operation_id = "revokeInvitation",
    tag = "invitations", security(("bearer" = [])),
    params(("invitation_id" = i64, Path, description = "The `id` of the invitation")),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 400, description = "Accepted already", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such invitation of the organization", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "No integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ManageInvitations>,
    context: RequestContext,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    let id = InvitationId::new(path_id(&req, "invitation_id")?);
    auth.revoke_invitation(caller.principal(), id, &origin(&context)).await?;
    Ok(HttpResponse::NoContent().finish())
}
