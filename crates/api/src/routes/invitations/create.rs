//! `POST /api/v1/invitations`: invites somebody by mail.

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::{
    guard::ManageInvitations,
    service::{AuthService, Invite},
};

use super::view::InvitationView;
use crate::{
    docs::words::RoleName,
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, EMAIL, Object},
    routes::{Limits, caller::Caller, origin, users::fields::new_roles},
};

/// Whom to invite, and with which roles.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct InvitationBody {
    /// The e-mail address, in any letter case.
    #[schema(format = Email, example = "ann@example.com")]
    email: String,
    /// The roles they will have; wins over `role`.
    #[schema(min_items = 1, max_items = 4, value_type = Option<Vec<RoleName>>, example = json!(["accountant"]))]
    roles: Option<Vec<String>>,
    /// The only role they will have.
    #[schema(value_type = Option<RoleName>, example = "accountant")]
    role: Option<String>,
}

/// Invites somebody into the organization. A mail with a link that works once, for 7 days, leaves after the answer.
///
/// Only owners invite owners. At most 5 invitations of an organization in any 60 seconds (by default), those sent again
/// included; after 10 to one address, from whatever organization, each further one makes the next wait longer.
#[utoipa::path(post, path = "/api/v1/invitations", operation_id = "createInvitation", tag = "invitations",
    security(("bearer" = [])), request_body(content = InvitationBody),
    responses(
        (status = 201, description = "The invitation", body = InvitationView),
        (status = 400, description = "Belongs to the organization already, or is invited already", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it, or a non-owner invites an owner", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ManageInvitations>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
    limits: Data<Limits>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Object::of(&body);
    let email = fields.required("email", EMAIL);
    let roles = new_roles(&mut fields);
    let (email, roles) = fields.finish(|| Some((email?, roles?)))?;
    let (caller, masked) = (caller.principal(), email.masked().to_string());
    let invite = Invite { email, roles, origin: origin(&context) };
    let sent = limits.inviting(caller.org_id(), &context, Box::pin(auth.invite(caller, &invite))).await?;
    context.notice(Notice::info("Invitation sent").email(masked));
    Ok(HttpResponse::Created().json(InvitationView::sent(&sent)))
}
