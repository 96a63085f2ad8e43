//! The operator's service accounts: made, listed and revoked by commands, on a store that the operator opened.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    api_key::{self, FOR_SERVICE_ACCOUNTS, KeyKind, KeyName, KeyText, ServiceAccount},
    audit::{Action, AuditEvent, Details, Origin},
    permission_set::PermissionSet,
    rng::Rng,
};
use sme_pulse_persistence::{AsStoreError, NewServiceAccount, Store, StoreError, retrying};

/// A service account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its name, which no other that was not revoked may have.
    pub name: KeyName,
    /// What it may ask.
    pub permissions: PermissionSet,
    /// How many days it lives; `None` until it is revoked.
    pub days: Option<i64>,
}

/// Why something about a service account was refused.
#[derive(Debug, thiserror::Error)]
pub enum ServiceAccountError {
    /// Another one has the name and was not revoked.
    #[error("there is a service account of this name already; revoke it first")]
    NameTaken,
    /// None has the name, or it was revoked before.
    #[error("there is no service account of this name that counts")]
    NotFound,
    /// It would have nothing to ask, or something else than service accounts may.
    #[error("a service account may inspect tokens, revoke tokens and follow revocations, and must be given some of it")]
    NotGrantable,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for ServiceAccountError {
    fn from(error: StoreError) -> Self {
        if error.is_duplicate_of("name") { Self::NameTaken } else { Self::Store(error) }
    }
}

impl AsStoreError for ServiceAccountError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Makes a service account and its key, which nobody sees again.
pub async fn create_service_account(
    store: &Store,
    new: &NewAccount,
    rng: &dyn Rng,
    now: DateTime<Utc>,
) -> Result<(ServiceAccount, KeyText), ServiceAccountError> {
    let NewAccount { name, permissions, days } = new;
    if permissions.is_empty() || permissions.iter().any(|permission| !FOR_SERVICE_ACCOUNTS.contains(&permission)) {
        return Err(ServiceAccountError::NotGrantable);
    }
    let text = KeyText::generate(KeyKind::Service, rng);
    let (prefix, hash, expires_at) = (text.prefix(), text.hash(), api_key::end(now, *days));
    let made = retrying(|| async {
        let tx = store.begin_system().await?;
        let new = NewServiceAccount { name, prefix, key_hash: &hash, permissions, expires_at, at: now };
        let made = tx.add_service_account(&new).await?;
        tx.record(event(Action::ServiceAccountCreated, &made), now).await?;
        tx.commit().await?;
        Ok::<_, ServiceAccountError>(made)
    })
    .await?;
    Ok((made, text))
}

/// All of them, revoked ones too, oldest first.
pub async fn service_accounts(store: &Store) -> Result<Vec<ServiceAccount>, StoreError> {
    store.begin_system_read().await?.service_accounts().await
}

/// Revokes the one with this name: its key opens nothing from now on, at any server.
pub async fn revoke_service_account(
    store: &Store,
    name: &KeyName,
    now: DateTime<Utc>,
) -> Result<ServiceAccount, ServiceAccountError> {
    retrying(|| async {
        let tx = store.begin_system().await?;
        let revoked = tx.revoke_service_account(name, now).await?.ok_or(ServiceAccountError::NotFound)?;
        tx.record(event(Action::ServiceAccountRevoked, &revoked), now).await?;
        tx.commit().await?;
        Ok(revoked)
    })
    .await
}

/// What the trail of the events outside any organization says of it.
fn event(action: Action, account: &ServiceAccount) -> AuditEvent {
    let details = [("name", account.name.as_str().to_owned()), ("permissions", account.permissions.codes())];
    AuditEvent {
        entity: Some("service_accounts"),
        entity_id: Some(account.id),
        after: Some(Details::from(details.map(|(name, value)| (name.to_owned(), Some(value))))),
        ..AuditEvent::new(action, None, Origin::default())
    }
}
