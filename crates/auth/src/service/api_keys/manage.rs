//! Making keys of an organization, seeing them and revoking them: for owners and admins (the guard sees to that). Those that
//! are made queue up behind the organization's row, so that parallel ones are counted together.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    api_key::{self, ApiKey, KeyKind, KeyName, KeyText, MOST_LIVE},
    audit::{Action, AuditEvent, Details, Origin},
    ids::{ApiKeyId, UserId},
    permission::Permission,
};
use sme_pulse_persistence::{ApiKeyFilter, NewApiKey, StoreError, retrying};

use super::ApiKeyError;
use crate::{
    AccessError, Principal,
    service::{AuthService, RECENT_MINUTES},
};

/// A key to be made.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    /// What people call it.
    pub name: KeyName,
    /// What it may do, in the order in which it was asked for.
    pub permissions: Vec<Permission>,
    /// How many days it lives; `None` until it is revoked.
    pub days: Option<i64>,
    /// The request and the client's address.
    pub origin: Origin,
}

/// A key that has just been made.
#[derive(Debug)]
pub struct MadeApiKey {
    /// What is kept of it.
    pub key: ApiKey,
    /// Its text, which nobody sees again.
    pub text: KeyText,
}

impl AuthService {
    /// The keys of the caller's organization that match: how many, and a part of them, newest first; and the time that
    /// tells what has become of each.
    pub async fn api_keys(
        &self,
        caller: &Principal,
        filter: &ApiKeyFilter,
        part: (u64, u64),
    ) -> Result<((u64, Vec<ApiKey>), DateTime<Utc>), StoreError> {
        let now = self.parts.clock.now();
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        Ok((tx.api_keys().list(filter, part, now).await?, now))
    }

    /// A key of the caller's organization, and the time that tells what has become of it.
    pub async fn api_key(&self, caller: &Principal, id: ApiKeyId) -> Result<(ApiKey, DateTime<Utc>), ApiKeyError> {
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        let found = tx.api_keys().find(id).await?.ok_or(ApiKeyError::NotFound)?;
        Ok((found, self.parts.clock.now()))
    }

    /// Makes a key that acts for the caller, with no more than they hold now. It outlives the session in which it is made,
    /// so whoever makes one has proved lately who they are.
    pub async fn create_api_key(&self, caller: &Principal, new: &CreateApiKey) -> Result<MadeApiKey, ApiKeyError> {
        caller.require_recent(RECENT_MINUTES)?;
        self.require_recent_if_factor(caller, RECENT_MINUTES).await?;
        let text = KeyText::generate(KeyKind::Organization, &*self.parts.rng);
        let hash = text.hash();
        let key = retrying(|| self.store_api_key(caller, new, (&text, &hash))).await?;
        Ok(MadeApiKey { key, text })
    }

    async fn store_api_key(
        &self,
        caller: &Principal,
        new: &CreateApiKey,
        (text, key_hash): (&KeyText, &str),
    ) -> Result<ApiKey, ApiKeyError> {
        let CreateApiKey { name, permissions, days, origin } = new;
        let (at, created_by) = (self.parts.clock.now(), caller.user_id());
        let forbidden = || AccessError::Forbidden { user: created_by, org: caller.org_id() };
        let tx = self.parts.store.begin(caller.scope()).await?;
        tx.organization().find_for_update().await?.ok_or_else(forbidden)?;
        let held = tx.newcomers().roles_of(created_by).await?.ok_or_else(forbidden)?;
        if !Permission::ManageApiKeys.granted_to(&held) {
            return Err(forbidden().into());
        }
        if let Some(place) = api_key::not_grantable(permissions, &held) {
            return Err(ApiKeyError::NotGrantable(place));
        }
        if tx.api_keys().count_live(at).await? >= MOST_LIVE {
            return Err(ApiKeyError::TooMany);
        }
        let (permissions, expires_at) = (permissions.iter().copied().collect(), api_key::end(at, *days));
        let prefix = text.prefix();
        let new = NewApiKey { name, prefix, key_hash, permissions: &permissions, created_by, expires_at, at };
        let made = tx.api_keys().add(&new).await?;
        tx.record(event(Action::ApiKeyCreated, &made, Some(created_by), origin), at).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Revokes a key of the caller's organization, whoever made it: it opens nothing from now on. Repeatable.
    pub async fn revoke_api_key(&self, caller: &Principal, id: ApiKeyId, origin: &Origin) -> Result<(), ApiKeyError> {
        let now = self.parts.clock.now();
        let revoked = retrying(|| async {
            let tx = self.parts.store.begin(caller.scope()).await?;
            let found = tx.api_keys().find_for_update(id).await?.ok_or(ApiKeyError::NotFound)?;
            if found.revoked_at.is_none() {
                tx.api_keys().revoke(id, now).await?;
                tx.record(event(Action::ApiKeyRevoked, &found, Some(caller.user_id()), origin), now).await?;
                tx.commit().await?;
            }
            Ok::<_, ApiKeyError>(found)
        })
        .await?;
        self.changed(revoked.created_by);
        Ok(())
    }
}

/// What the trail says of a key.
pub(in crate::service) fn event(action: Action, key: &ApiKey, actor: Option<UserId>, origin: &Origin) -> AuditEvent {
    let details = [
        ("name", Some(key.name.as_str().to_owned())),
        ("prefix", Some(key.prefix.to_string())),
        ("permissions", Some(key.permissions.codes())),
        ("created_by", Some(key.created_by.to_string())),
    ];
    let event = AuditEvent::new(action, Some(key.org), origin.clone());
    AuditEvent {
        actor,
        entity: Some("api_keys"),
        entity_id: Some(key.id.get()),
        after: Some(Details::from(details.map(|(name, value)| (name.to_owned(), value)))),
        ..event
    }
}
