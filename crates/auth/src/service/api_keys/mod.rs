//! Keys for programs: the organization's (`manage.rs`), the operator's service accounts (`operator.rs`), and whoever calls with
//! either (`admit.rs`), from memory (`known.rs`) when nothing has changed.

mod admit;
mod known;
mod manage;
mod operator;

use sme_pulse_persistence::{AsStoreError, StoreError};

use crate::AccessError;
pub(super) use known::KnownKeys;
pub(super) use manage::event;
pub use manage::{CreateApiKey, MadeApiKey};
pub use operator::{NewAccount, ServiceAccountError, create_service_account, revoke_service_account, service_accounts};

/// Why something about a key of the organization was refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The organization has no such key.
    #[error("the key does not exist")]
    NotFound,
    /// Keys never have the permission at this place of those asked for, or the caller does not hold it.
    #[error("the caller may not give a key this permission")]
    NotGrantable(usize),
    /// The organization has as many live keys as it may.
    #[error("the organization has too many keys")]
    TooMany,
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AsStoreError for ApiKeyError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
