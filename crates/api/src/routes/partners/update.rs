//! `PUT /api/v1/customers/{customer_id}` and `/suppliers/{supplier_id}`: changes what is sent.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::guard::WritePartners;
use sme_pulse_domain::partner::PartnerKind;
use sme_pulse_finance::Finance;

use super::{
    fields::{CUSTOMER_TERM, SUPPLIER_TERM, patch},
    schema::{CustomerBody, SupplierBody},
    view::{CustomerView, SupplierView},
};
use crate::{
    edge::RequestContext,
    error::ApiError,
    input::{Body, Object},
    routes::{caller::Caller, origin},
};

/// Changes a customer.
#[utoipa::path(put, path = "/api/v1/customers/{customer_id}", operation_id = "updateCustomer", tag = "customers",
    security(("bearer" = [])), request_body(content = CustomerBody),
    params(("customer_id" = i64, Path, description = "Key")),
    responses(
        (status = 200, description = "The customer as it is now", body = CustomerView),
        (status = 400, description = "The code is taken", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such customer", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn customer(
    caller: Caller<WritePartners>,
    context: RequestContext,
    req: HttpRequest,
    body: Body,
    finance: Data<Finance>,
) -> Result<Json<CustomerView>, ApiError> {
    let mut fields = Object::of(&body);
    let id = fields.path_id(&req, "customer_id");
    let (id, patch) = patch(fields, id, CUSTOMER_TERM)?;
    let target = (PartnerKind::Customer, id);
    Ok(Json(CustomerView::of(&finance.update_partner(caller.scope(), target, &patch, &origin(&context)).await?)))
}

/// Changes a supplier.
#[utoipa::path(put, path = "/api/v1/suppliers/{supplier_id}", operation_id = "updateSupplier", tag = "suppliers",
    security(("bearer" = [])), request_body(content = SupplierBody),
    params(("supplier_id" = i64, Path, description = "Key")),
    responses(
        (status = 200, description = "The supplier as it is now", body = SupplierView),
        (status = 400, description = "The code is taken", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such supplier", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn supplier(
    caller: Caller<WritePartners>,
    context: RequestContext,
    req: HttpRequest,
    body: Body,
    finance: Data<Finance>,
) -> Result<Json<SupplierView>, ApiError> {
    let mut fields = Object::of(&body);
    let id = fields.path_id(&req, "supplier_id");
    let (id, patch) = patch(fields, id, SUPPLIER_TERM)?;
    let target = (PartnerKind::Supplier, id);
    Ok(Json(SupplierView::of(&finance.update_partner(caller.scope(), target, &patch, &origin(&context)).await?)))
}
