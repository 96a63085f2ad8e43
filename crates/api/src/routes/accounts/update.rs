//! `PUT /api/v1/accounts/{account_id}`: changes what is sent, but never what kind of account it is.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::guard::WriteAccounts;
use sme_pulse_domain::{
    account::AccountPatch,
    ids::AccountId,
    status::Status,
    text::{CODE, NAME},
};
use sme_pulse_finance::Finance;

use super::view::AccountView;
use crate::{
    edge::RequestContext,
    error::ApiError,
    input::{ANY_AMOUNT, BOOLEAN, Body, Object, text},
    routes::{caller::Caller, origin},
};

/// A partial update: absent fields stay, null clears code, number and bank. `type` and `account_type` are ignored.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct AccountBody {
    /// Name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]", nullable = false)]
    name: Option<String>,
    /// Short code, unique in the organization when given.
    #[schema(max_length = 50)]
    code: Option<String>,
    /// Number at the bank.
    #[schema(max_length = 50)]
    account_number: Option<String>,
    /// Name of the bank.
    #[schema(max_length = 255)]
    bank_name: Option<String>,
    /// What was in it before the first payment; may be negative.
    #[schema(value_type = Option<f64>, nullable = false, minimum = -9_999_999_999_999_i64, maximum = 9_999_999_999_999_i64)]
    opening_balance: Option<String>,
    /// Whether it may get payments.
    #[schema(nullable = false)]
    is_active: Option<bool>,
}

/// Changes an account.
#[utoipa::path(put, path = "/api/v1/accounts/{account_id}", operation_id = "updateAccount", tag = "accounts",
    security(("bearer" = [])), request_body(content = AccountBody),
    params(("account_id" = i64, Path, description = "Key")),
    responses(
        (status = 200, description = "The account as it is now", body = AccountView),
        (status = 400, description = "The code is taken", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "No such account", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<WriteAccounts>,
    context: RequestContext,
    req: HttpRequest,
    body: Body,
    finance: Data<Finance>,
) -> Result<Json<AccountView>, ApiError> {
    let mut fields = Object::of(&body);
    let id = fields.path_id(&req, "account_id");
    let name = fields.changed("name", text(1, NAME));
    let code = fields.nullable("code", text(1, CODE));
    let account_number = fields.nullable("account_number", text(1, CODE));
    let bank_name = fields.nullable("bank_name", text(1, NAME));
    let opening_balance = fields.changed("opening_balance", ANY_AMOUNT);
    let is_active = fields.changed("is_active", BOOLEAN);
    let (id, patch) = fields.finish(|| {
        let patch = AccountPatch {
            name: name?,
            code: code?,
            account_number: account_number?,
            bank_name: bank_name?,
            opening_balance: opening_balance?,
            status: is_active?.map(Status::of_active),
        };
        Some((AccountId::new(id?), patch))
    })?;
    Ok(Json(AccountView::of(&finance.update_account(caller.scope(), id, &patch, &origin(&context)).await?)))
}
