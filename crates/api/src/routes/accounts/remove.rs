//! `DELETE /api/v1/accounts/{account_id}`: takes an account out of use; repeatable.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use sme_pulse_auth::guard::WriteAccounts;
use sme_pulse_domain::ids::AccountId;
use sme_pulse_finance::Finance;

use crate::{
    edge::RequestContext,
    error::ApiError,
    input::path_id,
    routes::{caller::Caller, origin},
};

/// Takes an account out of use; its payments stay.
#[utoipa::path(delete, path = "/api/v1/accounts/{account_id}", operation_id = "deactivateAccount", tag = "accounts",
    security(("bearer" = [])),
    params(("account_id" = i64, Path, description = "Key")),
    responses(
        (status = 204, description = "It is out of use"),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such account", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The key is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<WriteAccounts>,
    context: RequestContext,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<HttpResponse, ApiError> {
    let id = AccountId::new(path_id(&req, "account_id")?);
    finance.deactivate_account(caller.scope(), id, &origin(&context)).await?;
    Ok(HttpResponse::NoContent().finish())
}
