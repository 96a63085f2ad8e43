//! Changing a user: name, roles, and whether they take part.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, Origin},
    ids::UserId,
    permission::Permission,
    person::{Person, PersonPatch},
    session::EndReason,
    status::Status,
};
use sme_pulse_persistence::{StoreError, TenantTx, retrying};

use super::{UserError, allowed, events, events::By};
use crate::{
    Principal,
    service::{AuthService, api_keys},
};

/// A user as they are now, and which of the changes that others are told about were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedUser {
    /// The user.
    pub person: Person,
    /// Whether the roles are others than before.
    pub roles_changed: bool,
    /// The status, if it is another than before.
    pub new_status: Option<Status>,
}

impl AuthService {
    /// Changes a user: anybody for those who may change all, else the caller alone, and then but for the name nothing. A
    /// patch that changes nothing writes nothing.
    pub async fn update_user(
        &self,
        caller: &Principal,
        user: UserId,
        patch: &PersonPatch,
        origin: &Origin,
    ) -> Result<UpdatedUser, UserError> {
        self.reaches(caller, user, Permission::WriteUsers)?;
        let updated = retrying(|| async {
            let tx = self.lock_people(caller).await?;
            let before = tx.people().find(user).await?.ok_or(UserError::NotFound)?;
            let after = allowed(&tx, caller, &before, |actor| before.patched(patch, actor)).await?;
            store_user(tx, caller.into(), (&before, after), (origin, self.parts.clock.now())).await
        })
        .await?;
        self.changed(user);
        Ok(updated)
    }
}

/// Writes what is different, ends the access of somebody who no longer takes part, and commits.
pub(super) async fn store_user(
    tx: TenantTx,
    by: By,
    (before, mut after): (&Person, Person),
    (origin, now): (&Origin, DateTime<Utc>),
) -> Result<UpdatedUser, UserError> {
    if after == *before {
        return Ok(UpdatedUser { person: after, roles_changed: false, new_status: None });
    }
    tx.people().save(&after, now).await?;
    let roles_changed = after.roles != before.roles;
    if roles_changed {
        tx.people().set_roles(after.id, &after.roles, now).await?;
    }
    let switched = (after.account, after.membership) != (before.account, before.membership);
    let ended = if switched { end_access(&tx, &after, now).await? } else { 0 };
    // Who comes back makes new ones. Keys of theirs in other organizations rest as long as the account does.
    let revoked = if switched { tx.api_keys().revoke_all_of(after.id, now).await? } else { Vec::new() };
    let of_keys = revoked.iter().map(|key| api_keys::event(Action::ApiKeyRevoked, key, by.actor, origin));
    for event in events::changes(by, (before, &after), ended, origin).into_iter().chain(of_keys) {
        tx.record(event, now).await?;
    }
    if switched && after.is_from_elsewhere() {
        // With the membership begins or ends what this organization may see of the account.
        after = tx.people().find(after.id).await?.ok_or(UserError::NotFound)?;
    }
    tx.commit().await?;
    after.updated_at = now;
    let new_status = switched.then(|| after.membership.unwrap_or(after.account));
    Ok(UpdatedUser { person: after, roles_changed, new_status })
}

/// Ends the sessions of a user and whatever else could become one: everywhere for those who are at home here, in this
/// organization for the others. Also when they may come back, for a log-in that was under way when they had to go. How many
/// sessions for this organization those were: of others its audit trail does not tell.
async fn end_access(tx: &TenantTx, person: &Person, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let (user, reason) = (person.id, EndReason::Deactivated);
    if person.is_from_elsewhere() {
        return tx.sessions().end_all_here(user, reason, now).await;
    }
    tx.passwords().void_reset_tokens(user).await?;
    tx.challenges().remove_of(user).await?;
    Ok(tx.sessions().end_all_but((None, user), reason, now).await?.here)
}
