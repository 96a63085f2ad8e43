//! `GET /organizations` and `POST /switch-organization`: the caller's organizations, and a session in another of them.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{guard::UseOwnAccount, service::AuthService};
use sme_pulse_domain::ids::OrgId;

use super::{log_in::user_agent, view::LogInView};
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, ID, Object, TOKEN},
    routes::{Limits, caller::Caller, invitations::PlaceView, origin},
};

/// The active organizations that the caller belongs to: home first, then in the order of joining.
#[utoipa::path(get, path = "/api/v1/auth/organizations", operation_id = "listOwnOrganizations", tag = "auth",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The organizations", body = [PlaceView]),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn list(
    caller: Caller<UseOwnAccount>,
    auth: Data<AuthService>,
) -> Result<Json<Vec<PlaceView>>, ApiError> {
    let caller = caller.principal();
    let places = auth.organizations(caller).await?.into_iter();
    Ok(Json(
        places
            .map(|place| {
                let current = place.org == caller.org_id();
                PlaceView::of(place, current)
            })
            .collect(),
    ))
}

/// Which organization to go on in.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct SwitchBody {
    /// The `id` of the organization.
    #[schema(minimum = 1)]
    org_id: i64,
    /// The refresh token of the calling session; needed when the last proof of who the caller is lies 15 minutes back.
    #[schema(min_length = 1)]
    refresh_token: Option<String>,
}

/// Opens a session of the caller in another of their organizations and gives its tokens. The calling session goes on beside
/// it. The new one ends no later than the calling one would at the latest, and is no proof of who one is beyond it.
///
/// At most 5 requests per user in any 60 seconds (by default).
#[utoipa::path(post, path = "/api/v1/auth/switch-organization", operation_id = "switchOrganization", tag = "auth",
    security(("bearer" = [])), request_body(content = SwitchBody),
    responses(
        (status = 200, description = "The tokens of the new session", body = LogInView),
        (status = 400, description = "The token belongs to no session, or the session to that organization", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "A password set by somebody else, or neither refresh token nor recent proof", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No active organization that the caller belongs to", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn switch(
    caller: Caller<UseOwnAccount>,
    req: HttpRequest,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
    limits: Data<Limits>,
) -> Result<Json<LogInView>, ApiError> {
    let mut fields = Object::of(&body);
    let org = fields.required("org_id", ID);
    let shown = fields.nullable("refresh_token", TOKEN);
    let (org, shown) = fields.finish(|| Some((OrgId::new(org?), shown?.flatten())))?;
    let caller = caller.principal();
    limits.switch.admit(caller.user_id(), &context).await?;
    let (agent, origin) = (user_agent(&req), origin(&context));
    let shown = shown.map(|token| auth.presented(token.expose()));
    let done = auth.switch_organization(caller, (org, shown), (agent.as_deref(), &origin)).await?;
    context.notice(Notice::info("Organization entered").email(done.user.email.masked().to_string()));
    Ok(Json(done.into()))
}
