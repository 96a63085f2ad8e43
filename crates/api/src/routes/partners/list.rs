//! `GET /api/v1/customers` and `/suppliers`: the partners of the organization, newest first.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::guard::ReadPartners;
use sme_pulse_domain::{
    partner::{Partner, PartnerKind},
    status::Status,
};
use sme_pulse_finance::{Finance, PartnerFilter};

use super::view::{CustomerView, SupplierView};
use crate::{
    error::ApiError,
    input::{BOOLEAN, Page, Query, untrimmed},
    routes::{
        caller::Caller,
        page::{MAX_LIMIT, PageView, bounds},
    },
};

/// The customers that match, newest first.
#[utoipa::path(get, path = "/api/v1/customers", operation_id = "listCustomers", tag = "customers",
    security(("bearer" = [])),
    params(
        ("skip" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "How many to show, 1 to 500; 100 unless given"),
        ("is_active" = Option<bool>, Query, description = "Only those in use, or only those out of use"),
        ("search" = Option<String>, Query, description = "A part of name or code, in any letter case"),
    ),
    responses(
        (status = 200, description = "The customers", body = PageView<CustomerView>),
        (status = 400, description = "A malformed query", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "A wrong filter", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn customers(
    caller: Caller<ReadPartners>,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<Json<PageView<CustomerView>>, ApiError> {
    let (page, found) = found(PartnerKind::Customer, &caller, &req, &finance).await?;
    Ok(Json(PageView::of(page, found, CustomerView::of)))
}

/// The suppliers that match, newest first.
#[utoipa::path(get, path = "/api/v1/suppliers", operation_id = "listSuppliers", tag = "suppliers",
    security(("bearer" = [])),
    params(
        ("skip" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "How many to show, 1 to 500; 100 unless given"),
        ("is_active" = Option<bool>, Query, description = "Only those in use, or only those out of use"),
        ("search" = Option<String>, Query, description = "A part of name or code, in any letter case"),
    ),
    responses(
        (status = 200, description = "The suppliers", body = PageView<SupplierView>),
        (status = 400, description = "A malformed query", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "A wrong filter", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn suppliers(
    caller: Caller<ReadPartners>,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<Json<PageView<SupplierView>>, ApiError> {
    let (page, found) = found(PartnerKind::Supplier, &caller, &req, &finance).await?;
    Ok(Json(PageView::of(page, found, SupplierView::of)))
}

async fn found(
    kind: PartnerKind,
    caller: &Caller<ReadPartners>,
    req: &HttpRequest,
    finance: &Finance,
) -> Result<(Page, (u64, Vec<Partner>)), ApiError> {
    let mut query = Query::of(req)?;
    let page = query.page(MAX_LIMIT);
    let status = query.optional("is_active", BOOLEAN);
    // A text of any length may be looked for.
    let search = query.optional("search", untrimmed(0, usize::MAX));
    let (page, filter) =
        query.finish(|| Some((page?, PartnerFilter { status: status?.map(Status::of_active), search: search? })))?;
    Ok((page, finance.partners(caller.scope(), kind, &filter, bounds(page)).await?))
}
