//! The part of the table of errors that the ledgers have.

use actix_web::http::StatusCode;
use sme_pulse_finance::{LedgerError, LedgerRow};

use super::class::{Class, of_store};

pub(super) fn of_ledger(error: &LedgerError) -> Class<'static> {
    let conflict = |text| Class::plain(StatusCode::CONFLICT, "idempotency_conflict", text);
    match error {
        LedgerError::NotFound(row) => {
            let text = match row {
                LedgerRow::Customer => "Customer not found",
                LedgerRow::Supplier => "Supplier not found",
                LedgerRow::Account => "Account not found",
            };
            Class::plain(StatusCode::NOT_FOUND, "not_found", text)
        }
        LedgerError::CodeTaken(row) => {
            let text = match row {
                LedgerRow::Customer => "A customer with this code already exists.",
                LedgerRow::Supplier => "A supplier with this code already exists.",
                LedgerRow::Account => "An account with this code already exists.",
            };
            Class::plain(StatusCode::BAD_REQUEST, "duplicate", text)
        }
        LedgerError::KeyTaken => conflict("This Idempotency-Key was used for another request."),
        LedgerError::KeyRunning => conflict("The first request with this Idempotency-Key is still running."),
        LedgerError::Store(cause) => of_store(cause),
    }
}
