//! `GET /api/v1/accounts`: the accounts of the organization with their balances, newest first.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::guard::ReadAccounts;
use sme_pulse_domain::status::Status;
use sme_pulse_finance::{AccountFilter, Finance};

use super::view::AccountView;
use crate::{
    error::ApiError,
    input::{BOOLEAN, Query, untrimmed},
    routes::{
        caller::Caller,
        page::{MAX_LIMIT, PageView, bounds},
    },
};

/// The accounts that match, newest first.
#[utoipa::path(get, path = "/api/v1/accounts", operation_id = "listAccounts", tag = "accounts",
    security(("bearer" = [])),
    params(
        ("skip" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "How many to show, 1 to 500; 100 unless given"),
        ("is_active" = Option<bool>, Query, description = "Only those in use, or only those out of use"),
        ("account_type" = Option<String>, Query, description = "`cash` or `bank`: what `type` is"),
    ),
    responses(
        (status = 200, description = "The accounts", body = PageView<AccountView>),
        (status = 400, description = "A malformed query", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "A wrong filter", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ReadAccounts>,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<Json<PageView<AccountView>>, ApiError> {
    let mut query = Query::of(&req)?;
    let page = query.page(MAX_LIMIT);
    let status = query.optional("is_active", BOOLEAN);
    // An unknown word matches nothing and is no error.
    let kind = query.optional("account_type", untrimmed(0, usize::MAX));
    let (page, filter) =
        query.finish(|| Some((page?, AccountFilter { status: status?.map(Status::of_active), kind: kind? })))?;
    let found = finance.accounts(caller.scope(), &filter, bounds(page)).await?;
    Ok(Json(PageView::of(page, found, AccountView::of)))
}
