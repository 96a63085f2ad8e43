//! From a key to whom it acts for: its form and checksum first, then its hash, then what has become of it, of its creator and
//! of the organization.

use std::sync::Arc;

use sme_pulse_domain::api_key::{KeyKind, KeyStatus, KeyText};
use sme_pulse_persistence::{KeyTable, StoreError};
use subtle::ConstantTimeEq as _;

use super::known::{Holder, KeyState};
use crate::{AccessError, KeyRefusal, Principal, service::AuthService};

impl AuthService {
    /// The person for whom a key of an organization acts, with no more than it was given.
    pub(in crate::service) async fn authenticate_key(&self, text: &str) -> Result<Principal, AccessError> {
        let key = KeyText::parse(text).map_err(|_| KeyRefusal::Malformed)?;
        if key.kind() != KeyKind::Organization {
            return Err(KeyRefusal::NotHere.into());
        }
        let state = self.genuine_key(&key).await?;
        let Holder::Creator { member, org_status, is_member, grant } = &state.holder else {
            return Err(KeyRefusal::NotHere.into());
        };
        if !is_member || !member.user.status.is_active() {
            return Err(KeyRefusal::CreatorGone.into());
        }
        if !org_status.is_active() {
            return Err(KeyRefusal::Suspended.into());
        }
        self.keys_used.note((KeyTable::ApiKeys, grant.id.get()), self.parts.clock.now());
        Ok(Principal::with_key(Arc::clone(member), Arc::clone(grant)))
    }

    /// The name of the service account of the operator's that calls, if it was given the permission.
    #[cfg(any(feature = "actix", feature = "axum"))]
    pub(in crate::service) async fn service_account(
        &self,
        text: &str,
        permission: sme_pulse_domain::permission::Permission,
    ) -> Result<String, AccessError> {
        let key = KeyText::parse(text).map_err(|_| KeyRefusal::Malformed)?;
        let state = self.genuine_key(&key).await?;
        let Holder::Service { id, name, permissions } = &state.holder else {
            return Err(KeyRefusal::NotHere.into());
        };
        self.keys_used.note((KeyTable::ServiceAccounts, *id), self.parts.clock.now());
        if permissions.contains(permission) { Ok(name.clone()) } else { Err(AccessError::NotGranted) }
    }

    /// The state of a key whose secret is right and which is neither revoked nor over. The secret comes first: without it
    /// nobody learns what has become of a key.
    async fn genuine_key(&self, key: &KeyText) -> Result<Arc<KeyState>, AccessError> {
        let state = self.key_state(key).await?;
        if !bool::from(state.key_hash.as_bytes().ct_eq(key.hash().as_bytes())) {
            return Err(KeyRefusal::WrongSecret.into());
        }
        match state.status(self.parts.clock.now()) {
            KeyStatus::Active => Ok(state),
            KeyStatus::Revoked => Err(KeyRefusal::Revoked.into()),
            KeyStatus::Expired => Err(KeyRefusal::Expired.into()),
        }
    }

    /// From memory while the feed of changes is current, else from the database. Unknown keys are not remembered: there are
    /// more of them than of anything.
    async fn key_state(&self, key: &KeyText) -> Result<Arc<KeyState>, AccessError> {
        let prefix = key.prefix();
        // First, because looking may make the memory forget.
        let current = self.feed.is_current();
        let now = self.parts.clock.monotonic();
        let began = match self.known_keys.find(prefix, now) {
            Ok(state) if current => return Ok(state),
            Ok(_) => None,
            Err(began) => Some(began),
        };
        let undecided = |error: StoreError| AccessError::Undecided(Box::new(error));
        let found = match key.kind() {
            KeyKind::Organization => self.parts.store.api_key(prefix).await.map_err(undecided)?.map(KeyState::from),
            KeyKind::Service => self.parts.store.service_account(prefix).await.map_err(undecided)?.map(KeyState::from),
        };
        let state = Arc::new(found.ok_or(KeyRefusal::Unknown)?);
        if let Some(began) = began.filter(|_| current) {
            self.known_keys.keep(began, prefix, &state, now);
        }
        Ok(state)
    }
}
