//! The people of an organization: listing, adding, changing and deactivating them, and setting their passwords. Who may do
//! what stands in the domain; every change holds the organization's row, so that two of them never decide on the same state.

mod create;
mod deactivate;
mod error;
mod events;
mod list;
mod operator;
mod reset;
mod temporary_password;
mod update;

use sme_pulse_domain::{
    ids::UserId,
    permission::Permission,
    person::{Actor, Person, PersonRefusal},
};
use sme_pulse_persistence::TenantTx;

use super::AuthService;
use crate::{AccessError, Principal};
pub use create::CreateUser;
pub use error::UserError;
pub use operator::{
    NewOwner, OwnerHome, create_owner, import_users, people_of, set_password, set_user_status, temporary_password,
};
pub use reset::SetPassword;
pub use update::UpdatedUser;

impl AuthService {
    /// Refuses a caller who may neither do that to everybody nor is this user. It tells nothing about rows: an id without
    /// one is refused alike.
    pub fn reaches(&self, caller: &Principal, user: UserId, permission: Permission) -> Result<(), UserError> {
        if caller.user_id() == user || caller.may(permission) { Ok(()) } else { Err(forbidden(caller).into()) }
    }

    /// A transaction in which nobody else changes who belongs to the organization.
    async fn lock_people(&self, caller: &Principal) -> Result<TenantTx, UserError> {
        let tx = self.parts.store.begin(caller.scope()).await?;
        tx.organization().find_for_update().await?;
        Ok(tx)
    }
}

/// What a rule makes of a person. The rule is asked twice: as the caller was when the request began, which decides what is
/// answered, and as they are now that nobody else changes people, because their roles may have been taken away meanwhile.
async fn allowed(
    tx: &TenantTx,
    caller: &Principal,
    target: &Person,
    rule: impl Fn(Actor<'_>) -> Result<Person, PersonRefusal>,
) -> Result<Person, UserError> {
    let refused = |refusal| refused(caller, refusal);
    let after = rule(Actor { id: caller.user_id(), roles: caller.roles() }).map_err(refused)?;
    if target.is_active_owner() && !after.is_active_owner() {
        let others = tx.people().has_other_active_owner(target.id).await?;
        target.keeps_an_owner(&after, others).map_err(refused)?;
    }
    let now = if target.id == caller.user_id() { still_active(target.clone())? } else { acting(tx, caller).await? };
    rule(Actor { id: now.id, roles: &now.roles }).map_err(refused)
}

/// The caller as they are now.
async fn acting(tx: &TenantTx, caller: &Principal) -> Result<Person, UserError> {
    still_active(tx.people().find(caller.user_id()).await?.ok_or(AccessError::UnknownUser)?)
}

fn still_active(person: Person) -> Result<Person, UserError> {
    if person.status().is_active() { Ok(person) } else { Err(AccessError::Inactive { user: person.id }.into()) }
}

fn refused(caller: &Principal, refusal: PersonRefusal) -> UserError {
    match refusal {
        PersonRefusal::NotAllowed => forbidden(caller).into(),
        rule => UserError::Rule(rule),
    }
}

fn forbidden(caller: &Principal) -> AccessError {
    AccessError::Forbidden { user: caller.user_id(), org: caller.org_id() }
}
