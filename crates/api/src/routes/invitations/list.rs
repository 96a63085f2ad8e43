//! `GET /api/v1/invitations`: the organization's invitations, newest first.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{guard::ManageInvitations, service::AuthService};
use sme_pulse_domain::invitation::InvitationStatus;
use sme_pulse_persistence::InvitationFilter;

use super::view::InvitationView;
use crate::{
    error::ApiError,
    input::{Query, untrimmed},
    routes::{
        caller::Caller,
        page::{MAX_LIMIT, PageView, bounds},
    },
};

/// The organization's invitations that match, newest first.
#[utoipa::path(get, path = "/api/v1/invitations", operation_id = "listInvitations", tag = "invitations",
    security(("bearer" = [])),
    params(
        ("skip" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "How many to show, 1 to 500; 100 unless given"),
        ("status" = Option<String>, Query, description = "`pending`, `accepted`, `revoked` or `expired`"),
        ("search" = Option<String>, Query, description = "A part of the address, in any letter case"),
    ),
    responses(
        (status = 200, description = "The invitations", body = PageView<InvitationView>),
        (status = 400, description = "A malformed query", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "A wrong filter", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ManageInvitations>,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<Json<PageView<InvitationView>>, ApiError> {
    let mut query = Query::of(&req)?;
    let page = query.page(MAX_LIMIT);
    // A word of any length may be asked for; the unknown ones match nothing.
    let word = untrimmed(0, usize::MAX);
    let (status, search) = (query.optional("status", word), query.optional("search", word));
    let (page, status, search) = query.finish(|| Some((page?, status?, search?)))?;
    let known = |word: String| InvitationStatus::ALL.into_iter().find(|status| status.as_str() == word);
    let status = match status.map(known) {
        Some(None) => return Ok(Json(PageView::from_rows(page, (0, Vec::<InvitationView>::new())))),
        status => status.flatten(),
    };
    let filter = InvitationFilter { status, search };
    let (found, now) = auth.invitations(caller.principal(), &filter, bounds(page)).await?;
    Ok(Json(PageView::of(page, found, |invitation| InvitationView::of(invitation, now))))
}
