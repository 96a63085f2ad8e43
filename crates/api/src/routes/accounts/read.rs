//! `GET /api/v1/accounts/{account_id}`: one account with its balance.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::guard::ReadAccounts;
use sme_pulse_domain::ids::AccountId;
use sme_pulse_finance::Finance;

use super::view::AccountView;
use crate::{error::ApiError, input::path_id, routes::caller::Caller};

/// One account.
#[utoipa::path(get, path = "/api/v1/accounts/{account_id}", operation_id = "readAccount", tag = "accounts",
    security(("bearer" = [])),
    params(("account_id" = i64, Path, description = "Key")),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such account", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "The key is no integer", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ReadAccounts>,
    req: HttpRequest,
    finance: Data<Finance>,
) -> Result<Json<AccountView>, ApiError> {
    let id = AccountId::new(path_id(&req, "account_id")?);
    Ok(Json(AccountView::of(&finance.account(caller.scope(), id).await?)))
}
