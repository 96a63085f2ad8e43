//! `POST /api/v1/invitations/{invitation_id}/resend`: another mail with another link.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{guard::ManageInvitations, service::AuthService};
use sme_pulse_domain::ids::InvitationId;

use super::view::InvitationView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::path_id,
    routes::{Limits, caller::Caller, origin},
};

/// Sends an invitation again, also one whose time is up: with a new link for another 7 days. The old link opens nothing
/// any more, and from now on it is the caller's invitation.
#[utoipa::path(post, path = "/api/v1/invitations/{invitation_id}/resend", operation_id = "resendInvitation",
    tag = "invitations", security(("bearer" = [])),
    params(("invitation_id" = i64, Path, description = "The `id` of the invitation")),
    responses(
        (status = 200, description = "The invitation as it is now", body = InvitationView),
        (status = 400, description = "Accepted or revoked, or the address is invited or a member by now", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it, or a non-owner invites an owner", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such invitation of the organization", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "No integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ManageInvitations>,
    context: RequestContext,
    req: HttpRequest,
    auth: Data<AuthService>,
    limits: Data<Limits>,
) -> Result<Json<InvitationView>, ApiError> {
    let id = InvitationId::new(path_id(&req, "invitation_id")?);
    let (caller, origin) = (caller.principal(), origin(&context));
    let sending = Box::pin(auth.resend_invitation(caller, id, &origin));
    let sent = limits.inviting(caller.org_id(), &context, sending).await?;
    context.notice(Notice::info("Invitation sent").email(sent.email.masked().to_string()).reason("again"));
    Ok(Json(InvitationView::sent(&sent)))
}
