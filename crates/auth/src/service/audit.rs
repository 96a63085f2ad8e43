//! The audit trail as its readers, its signer and those who are forgotten see it.

mod signing;

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    ids::UserId,
    tenant::TenantScope,
    user::User,
};
use sme_pulse_persistence::{AuditFilter, Chore, Listed, Store, StoreError, retrying};

use super::{AuthParts, AuthService};
use crate::Principal;
pub use signing::{AuditSigner, ChainError, check_chain, sign_checkpoints};

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Events that lost personal data.
    pub events: u64,
    /// Events of the first encoding that hold an address for ever: without it their hash could not be checked.
    pub not_erasable: u64,
}

/// Takes a user's personal data out of all events that they caused or that are about them, and records that. A part
/// of the batches may be done when it fails; the rest is done when it is called again.
pub async fn erase_personal_data(
    store: &Store,
    user: &User,
    (actor, origin): (Option<UserId>, &Origin),
    now: DateTime<Utc>,
) -> Result<Erasure, StoreError> {
    let scope = scope_of(user);
    let (mut events, mut after) = (0_u64, Some(0));
    while let Some(last) = after {
        let done = retrying(|| async {
            let tx = store.begin(scope).await?;
            let done = tx.audit().erase(user.id, last).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(done)
        })
        .await?;
        events = events.saturating_add(done.events);
        after = done.next;
    }
    let not_erasable = retrying(|| async {
        let tx = store.begin(scope).await?;
        let not_erasable = tx.audit().not_erasable(user.id).await?;
        let mut event = AuditEvent::about_user(Action::PersonalDataErased, (user.id, user.org), origin);
        event.actor = actor;
        event.after = Some(Details::from([("events".to_owned(), Some(events.to_string()))]));
        tx.record(event, now).await?;
        tx.commit().await?;
        Ok::<_, StoreError>(not_erasable)
    })
    .await?;
    Ok(Erasure { events, not_erasable })
}

impl AuthService {
    /// The events of the caller's organization that match: how many, and a part of them, newest first.
    pub async fn audit_events(
        &self,
        caller: &Principal,
        filter: &AuditFilter,
        (skip, limit): (u64, u64),
    ) -> Result<(u64, Vec<Listed>), StoreError> {
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        tx.audit().list(filter, skip, limit).await
    }

    /// Signs the head of every chain that has advanced since its last checkpoint and is whole from there on; says how
    /// many, and `None` when another replica is doing it.
    pub async fn sign_checkpoints(&self) -> Result<Option<usize>, StoreError> {
        let AuthParts { store, keys, clock, .. } = &self.parts;
        let work = async || sign_checkpoints(store, &keys.audit_signer(), clock.now()).await;
        store.alone(Chore::SignCheckpoints, work).await
    }

    /// Takes a user's personal data out of the trail of their organization, on behalf of somebody or of an operator.
    pub async fn erase_from_audit(
        &self,
        user: &User,
        actor: Option<UserId>,
        origin: &Origin,
    ) -> Result<Erasure, StoreError> {
        erase_personal_data(&self.parts.store, user, (actor, origin), self.parts.clock.now()).await
    }
}

#[expect(clippy::disallowed_methods, reason = "the user was found first, and the trail is that of their organization")]
const fn scope_of(user: &User) -> TenantScope {
    TenantScope::assume_verified(user.org, Some(user.id))
}
