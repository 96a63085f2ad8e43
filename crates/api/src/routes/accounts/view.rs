//! What the routes of accounts answer.

use serde::Serialize;
use sme_pulse_finance::Balanced;
use utoipa::ToSchema;

use crate::routes::{amount::Amount, timestamp};

/// An account and what is in it.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountView {
    /// Key.
    id: i64,
    /// Short code.
    #[schema(example = "1002")]
    code: Option<String>,
    /// Name.
    #[schema(example = "Bank Account")]
    name: String,
    /// `cash` or `bank`.
    #[schema(example = "bank")]
    r#type: &'static str,
    /// Class in the ledger.
    #[schema(example = "asset")]
    account_type: &'static str,
    /// Number at the bank.
    account_number: Option<String>,
    /// Name of the bank.
    bank_name: Option<String>,
    /// What was in it before the first payment.
    #[schema(value_type = f64, example = 1250.5)]
    opening_balance: Amount,
    /// The opening balance, plus what came in, less what went out, over payments that are not void.
    #[schema(value_type = f64, example = 1250.5)]
    balance: Amount,
    /// Whether it may get payments.
    is_active: bool,
    /// The organization.
    org_id: i64,
    /// When it was added.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    updated_at: String,
}

impl AccountView {
    pub(super) fn of(balanced: &Balanced) -> Self {
        let account = &balanced.account;
        Self {
            id: account.id.get(),
            code: account.code.clone(),
            name: account.name.clone(),
            r#type: account.kind.as_str(),
            account_type: account.class.as_str(),
            account_number: account.account_number.clone(),
            bank_name: account.bank_name.clone(),
            opening_balance: Amount::of(account.opening_balance),
            balance: Amount::of(balanced.balance),
            is_active: account.status.is_active(),
            org_id: account.org.get(),
            created_at: timestamp(account.created_at),
            updated_at: timestamp(account.updated_at),
        }
    }
}
