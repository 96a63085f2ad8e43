//! `POST /api/v1/customers` and `/suppliers`: adds a partner, once for an `Idempotency-Key`.

use actix_web::HttpResponse;
use sme_pulse_auth::guard::WritePartners;
use sme_pulse_domain::partner::PartnerKind;

use super::{
    fields::{CUSTOMER_TERM, SUPPLIER_TERM, new_partner},
    schema::{NewCustomerBody, NewSupplierBody},
    view::{CustomerView, SupplierView},
};
use crate::{
    edge::RequestContext,
    error::ApiError,
    input::Body,
    routes::{caller::Caller, origin, repeatable::Repeatable},
};

/// Adds a customer.
#[utoipa::path(post, path = "/api/v1/customers", operation_id = "createCustomer", tag = "customers",
    security(("bearer" = [])), request_body(content = NewCustomerBody),
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "1 to 255 visible ASCII characters; the same request again gets its first answer")),
    responses(
        (status = 201, description = "The customer as it was added", body = CustomerView),
        (status = 400, description = "The code is taken, or a malformed key", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The key stands for another request, or its first one still runs", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn customer(
    caller: Caller<WritePartners>,
    request: Repeatable,
    context: RequestContext,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let (scope, new) = (caller.scope(), new_partner(&body, CUSTOMER_TERM)?);
    request
        .created(scope, &body, CustomerView::of, async |finance, once| {
            finance.add_partner(scope, (PartnerKind::Customer, &new), once, &origin(&context)).await
        })
        .await
}

/// Adds a supplier.
#[utoipa::path(post, path = "/api/v1/suppliers", operation_id = "createSupplier", tag = "suppliers",
    security(("bearer" = [])), request_body(content = NewSupplierBody),
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "1 to 255 visible ASCII characters; the same request again gets its first answer")),
    responses(
        (status = 201, description = "The supplier as it was added", body = SupplierView),
        (status = 400, description = "The code is taken, or a malformed key", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The key stands for another request, or its first one still runs", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn supplier(
    caller: Caller<WritePartners>,
    request: Repeatable,
    context: RequestContext,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let (scope, new) = (caller.scope(), new_partner(&body, SUPPLIER_TERM)?);
    request
        .created(scope, &body, SupplierView::of, async |finance, once| {
            finance.add_partner(scope, (PartnerKind::Supplier, &new), once, &origin(&context)).await
        })
        .await
}
