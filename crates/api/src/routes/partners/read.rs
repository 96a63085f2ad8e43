//! `GET /api/v1/customers/{customer_id}` and `/suppliers/{supplier_id}`: one partner.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::guard::ReadPartners;
use sme_pulse_domain::{ids::PartnerId, partner::PartnerKind};
use sme_pulse_finance::Finance;

use super::view::{CustomerView, SupplierView};
use crate::{error::ApiError, input::path_id, routes::caller::Caller};

/// One customer.
#[utoipa::path(get, path = "/api/v1/customers/{customer_id}", operation_id = "readCustomer", tag = "customers",
    security(("bearer" = [])),
    params(("customer_id" = i64, Path, description = "Key")),
    responses(
        (status = 200, description = "The customer", body = CustomerView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such customer", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The key is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn customer(
    caller: Caller<ReadPartners>,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<Json<CustomerView>, ApiError> {
    let id = PartnerId::new(path_id(&req, "customer_id")?);
    Ok(Json(CustomerView::of(&finance.partner(caller.scope(), PartnerKind::Customer, id).await?)))
}

/// One supplier.
#[utoipa::path(get, path = "/api/v1/suppliers/{supplier_id}", operation_id = "readSupplier", tag = "suppliers",
    security(("bearer" = [])),
    params(("supplier_id" = i64, Path, description = "Key")),
    responses(
        (status = 200, description = "The supplier", body = SupplierView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such supplier", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The key is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn supplier(
    caller: Caller<ReadPartners>,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<Json<SupplierView>, ApiError> {
    let id = PartnerId::new(path_id(&req, "supplier_id")?);
    Ok(Json(SupplierView::of(&finance.partner(caller.scope(), PartnerKind::Supplier, id).await?)))
}
