//! Why something about the ledgers could not be done, in the words a caller can act on.

use sme_pulse_domain::partner::PartnerKind;
use sme_pulse_persistence::{AsStoreError, StoreError};

/// A kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerRow {
    /// Of `finance.customers`.
    Customer,
    /// Of `finance.suppliers`.
    Supplier,
    /// Of `finance.accounts`.
    Account,
}

impl LedgerRow {
    /// The name of its table, as the audit trail has it.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Customer => "customers",
            Self::Supplier => "suppliers",
            Self::Account => "accounts",
        }
    }
}

impl From<PartnerKind> for LedgerRow {
    fn from(kind: PartnerKind) -> Self {
        match kind {
            PartnerKind::Customer => Self::Customer,
            PartnerKind::Supplier => Self::Supplier,
        }
    }
}

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such row in the organization.
    #[error("there is no such row")]
    NotFound(LedgerRow),
    /// Another row of the organization has the code.
    #[error("the code is taken")]
    CodeTaken(LedgerRow),
    /// The key of the request stands for another one.
    #[error("the idempotency key stands for another request")]
    KeyTaken,
    /// The first request with this key is still being worked on.
    #[error("the first request with this idempotency key is still running")]
    KeyRunning,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl LedgerError {
    /// What a refused write of this row means.
    pub(crate) fn writing(row: LedgerRow) -> impl Fn(StoreError) -> Self {
        move |error| if error.is_duplicate_of("code") { Self::CodeTaken(row) } else { error.into() }
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        if error.is_duplicate_of("idempotency_keys") { Self::KeyRunning } else { Self::Store(error) }
    }
}

impl AsStoreError for LedgerError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::NotFound(_) | Self::CodeTaken(_) | Self::KeyTaken | Self::KeyRunning => None,
        }
    }
}
