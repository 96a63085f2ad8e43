//! `POST /api/v1/accounts`: adds an account, once for an `Idempotency-Key`.

use actix_web::HttpResponse;
use sme_pulse_auth::guard::WriteAccounts;
use sme_pulse_domain::{
    account::{AccountKind, LedgerClass, NewAccount},
    money::Money,
    status::Status,
    text::{CODE, NAME},
};

use super::view::AccountView;
use crate::{
    docs::words::AccountClassName,
    edge::RequestContext,
    error::{ApiError, Rule},
    input::{ANY_AMOUNT, Body, Object, text, untrimmed, word},
    routes::{caller::Caller, origin, repeatable::Repeatable},
};

/// A new account: name and type are needed.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct NewAccountBody {
    /// Name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]")]
    name: String,
    /// `cash` or `bank`.
    #[schema(example = "bank")]
    r#type: String,
    /// Short code, unique in the organization when given.
    #[schema(max_length = 50)]
    code: Option<String>,
    /// Class in the ledger: `asset`, `liability`, `equity`, `income` or `expense`.
    #[schema(value_type = AccountClassName, required = false, default = "asset")]
    account_type: Option<String>,
    /// Number at the bank.
    #[schema(max_length = 50)]
    account_number: Option<String>,
    /// Name of the bank.
    #[schema(max_length = 255)]
    bank_name: Option<String>,
    /// What is in it before the first payment; may be negative.
    #[schema(value_type = Option<f64>, default = 0, nullable = false, minimum = -9_999_999_999_999_i64, maximum = 9_999_999_999_999_i64)]
    opening_balance: Option<String>,
}

/// Adds an account.
#[utoipa::path(post, path = "/api/v1/accounts", operation_id = "createAccount", tag = "accounts",
    security(("bearer" = [])), request_body(content = NewAccountBody),
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "1 to 255 visible ASCII characters; the same request again gets its first answer")),
    responses(
        (status = 201, description = "The account as it was added", body = AccountView),
        (status = 400, description = "Neither cash nor bank, the code is taken, or a malformed key", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The key stands for another request, or its first one still runs", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<WriteAccounts>,
    request: Repeatable,
    context: RequestContext,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let (scope, new) = (caller.scope(), read(&body)?);
    request
        .created(scope, &body, AccountView::of, async |finance, once| {
            finance.add_account(scope, &new, once, &origin(&context)).await
        })
        .await
}

fn read(body: &Body) -> Result<NewAccount, ApiError> {
    let mut fields = Object::of(body);
    let name = fields.required("name", text(1, NAME));
    // Any other word is refused by a rule, which existing clients show as it is.
    let kind = fields.required("type", untrimmed(0, usize::MAX));
    let code = fields.optional("code", text(1, CODE));
    let class = fields.or("account_type", word(&LedgerClass::ALL, LedgerClass::as_str), LedgerClass::Asset);
    let account_number = fields.optional("account_number", text(1, CODE));
    let bank_name = fields.optional("bank_name", text(1, NAME));
    let opening_balance = fields.or("opening_balance", ANY_AMOUNT, Money::ZERO);
    let (kind, new) = fields.finish(|| {
        let new = NewAccount {
            code: code?,
            name: name?,
            kind: AccountKind::Cash,
            class: class?,
            account_number: account_number?,
            bank_name: bank_name?,
            opening_balance: opening_balance?,
            status: Status::Active,
        };
        Some((kind?, new))
    })?;
    let unknown = || ApiError::rule(Rule::Violated, "The type of an account must be cash or bank.");
    Ok(NewAccount { kind: AccountKind::of(&kind).ok_or_else(unknown)?, ..new })
}
