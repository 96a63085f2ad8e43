//! `DELETE /api/v1/customers/{customer_id}` and `/suppliers/{supplier_id}`: takes a partner out of use; repeatable.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use sme_pulse_auth::guard::WritePartners;
use sme_pulse_domain::{ids::PartnerId, partner::PartnerKind};
use sme_pulse_finance::Finance;

use crate::{
    edge::RequestContext,
    error::ApiError,
    input::path_id,
    routes::{caller::Caller, origin},
};

/// Takes a customer out of use; its documents stay.
#[utoipa::path(delete, path = "/api/v1/customers/{customer_id}", operation_id = "deactivateCustomer", tag = "customers",
    security(("bearer" = [])),
    params(("customer_id" = i64, Path, description = "Key")),
    responses(
        (status = 204, description = "It is out of use"),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such customer", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The key is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn customer(
    caller: Caller<WritePartners>,
    context: RequestContext,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<HttpResponse, ApiError> {
    let target = (PartnerKind::Customer, PartnerId::new(path_id(&req, "customer_id")?));
    finance.deactivate_partner(caller.scope(), target, &origin(&context)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes a supplier out of use; its documents stay.
#[utoipa::path(delete, path = "/api/v1/suppliers/{supplier_id}", operation_id = "deactivateSupplier", tag = "suppliers",
    security(("bearer" = [])),
    params(("supplier_id" = i64, Path, description = "Key")),
    responses(
        (status = 204, description = "It is out of use"),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such supplier", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The key is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn supplier(
    caller: Caller<WritePartners>,
    context: RequestContext,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<HttpResponse, ApiError> {
    let target = (PartnerKind::Supplier, PartnerId::new(path_id(&req, "supplier_id")?));
    finance.deactivate_partner(caller.scope(), target, &origin(&context)).await?;
    Ok(HttpResponse::NoContent().finish())
}
