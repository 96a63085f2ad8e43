//! `GET /api/v1/users`: the people of the organization; owners and admins only.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{guard::ReadUsers, service::AuthService};
use sme_pulse_persistence::PersonFilter;

use super::view::PersonView;
use crate::{
    error::ApiError,
    input::{Page, Query, untrimmed},
    routes::{
        caller::Caller,
        page::{MAX_LIMIT, PageView, bounds},
    },
};

/// The people who match, the latest first.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "listUsers", tag = "users",
    security(("bearer" = [])),
    params(
        ("skip" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "How many to show, 1 to 500; 100 unless given"),
        ("search" = Option<String>, Query, description = "A part of address or name, in any letter case"),
        ("role" = Option<String>, Query, description = "The code of a role they hold"),
        ("status" = Option<String>, Query, description = "`active` or `inactive`"),
    ),
    responses(
        (status = 200, description = "The people", body = PageView<PersonView>),
        (status = 400, description = "A malformed query", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "A wrong filter", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ReadUsers>,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<Json<PageView<PersonView>>, ApiError> {
    let (filter, page) = read(Query::of(&req)?)?;
    let found = auth.users(caller.principal(), &filter, bounds(page)).await?;
    Ok(Json(PageView::from_rows(page, found)))
}

fn read(mut query: Query) -> Result<(PersonFilter, Page), ApiError> {
    let page = query.page(MAX_LIMIT);
    // A word of any length may be asked for; the unknown ones match nobody.
    let word = untrimmed(0, usize::MAX);
    let (search, role, status) =
        (query.optional("search", word), query.optional("role", word), query.optional("status", word));
    query.finish(|| Some((PersonFilter { search: search?, role: role?, status: status? }, page?)))
}
