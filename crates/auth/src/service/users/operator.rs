//! What the operator does to people, at the command line: no caller, so no permission is asked; all other rules hold, and the audit trail
//! names nobody as the one who acted.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    email::Email,
    ids::{OrgId, UserId},
    person::{Actor, NewPerson, Person, PersonPatch},
    rng::Rng,
    role::{Role, RoleSet},
    session::EndReason,
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::{NewHash, NewOrganization, PersonFilter, Store, StoreError, TenantTx, retrying};
use zeroize::Zeroizing;

use super::{
    UserError,
    events::{self, By},
    temporary_password as password,
    update::store_user,
};

/// People read at once.
const PAGE: u64 = 500;

/// Where a new owner is at home.
#[derive(Debug, Clone)]
pub enum OwnerHome {
    /// An organization that is there.
    Existing(OrgId),
    /// One that is founded for it.
    New(NewOrganization),
}

/// An owner to be made. There is no `Debug`: it holds a hash.
#[derive(Clone)]
pub struct NewOwner {
    /// Address in normal form.
    pub email: Email,
    /// Name, if given.
    pub full_name: Option<String>,
    /// The hash of the first password.
    pub password_hash: String,
}

/// A password to be told to somebody once.
pub fn temporary_password(rng: &dyn Rng) -> Zeroizing<String> {
    password::draw(rng)
}

/// Makes an active owner. `NotFound` when the organization does not exist.
pub async fn create_owner(
    store: &Store,
    home: &OwnerHome,
    owner: &NewOwner,
    now: DateTime<Utc>,
) -> Result<Person, UserError> {
    let NewOwner { email, full_name, password_hash } = owner.clone();
    let roles = [Role::Owner].into_iter().collect();
    let new = NewPerson { email, password_hash, full_name, status: Status::Active, roles };
    retrying(|| async {
        let tx = match home {
            OwnerHome::Existing(org) => lock(store, *org, now).await?,
            OwnerHome::New(organization) => found(store, organization, now).await?,
        };
        let person = add(&tx, &new, now).await?;
        // Whoever runs the command may know the password.
        tx.passwords().note_given(person.id, now).await?;
        tx.commit().await?;
        Ok::<_, UserError>(person)
    })
    .await
}

/// Adds people to an organization, all of them or none. Their passwords are their own. The function is told how many are done.
pub async fn import_users(
    store: &Store,
    org: OrgId,
    people: &[NewPerson],
    now: DateTime<Utc>,
    progress: impl Fn(usize),
) -> Result<(), UserError> {
    retrying(|| async {
        let tx = lock(store, org, now).await?;
        for (index, new) in people.iter().enumerate() {
            add(&tx, new, now).await?;
            progress(index.saturating_add(1));
        }
        tx.commit().await?;
        Ok::<_, UserError>(())
    })
    .await
}

/// Gives a user this password; all their sessions end, and open links to reset it. Returns how many sessions that were.
pub async fn set_password(
    store: &Store,
    (user, org): (UserId, OrgId),
    hash: &str,
    now: DateTime<Utc>,
) -> Result<u64, UserError> {
    retrying(|| async {
        let tx = lock(store, org, now).await?;
        let person = tx.people().find(user).await?.ok_or(UserError::NotFound)?;
        tx.passwords().set(&NewHash { user, hash: hash.to_owned(), at: now }, None).await?;
        tx.passwords().note_given(user, now).await?;
        tx.passwords().void_reset_tokens(user).await?;
        tx.challenges().remove_of(user).await?;
        let ended = tx.sessions().end_all_but((None, user), EndReason::PasswordSet, now).await?.here;
        tx.record(events::password_set(operator(org), &person, ended, &Origin::default()), now).await?;
        tx.commit().await?;
        Ok::<_, UserError>(ended)
    })
    .await
}

/// Lets a user sign in or not, in the organization where they are at home. The last active owner stays, unless `also_last_owner`.
/// Says whether anything changed.
pub async fn set_user_status(
    store: &Store,
    (user, org): (UserId, OrgId),
    status: Status,
    also_last_owner: bool,
    now: DateTime<Utc>,
) -> Result<bool, UserError> {
    // The rules ask for somebody who acts; the operator may do what an owner may who is nobody there.
    let roles: RoleSet = [Role::Owner].into_iter().collect();
    let patch = PersonPatch { status: Some(status), ..PersonPatch::default() };
    retrying(|| async {
        let tx = lock(store, org, now).await?;
        let before = tx.people().find(user).await?.ok_or(UserError::NotFound)?;
        let actor = Actor { id: UserId::new(0), roles: &roles };
        let after = before.patched(&patch, actor).map_err(UserError::Rule)?;
        if !also_last_owner && before.is_active_owner() && !after.is_active_owner() {
            let others = tx.people().has_other_active_owner(user).await?;
            before.keeps_an_owner(&after, others).map_err(UserError::Rule)?;
        }
        let done = store_user(tx, operator(org), (&before, after), (&Origin::default(), now)).await?;
        Ok::<_, UserError>(done.new_status.is_some())
    })
    .await
}

/// Everybody who belongs to an organization, the latest first. `NotFound` when it does not exist.
pub async fn people_of(store: &Store, org: OrgId) -> Result<Vec<Person>, UserError> {
    let tx = store.begin_read(scope_of(org)).await?;
    tx.organization().find().await?.ok_or(UserError::NotFound)?;
    let mut people = Vec::new();
    loop {
        let skip = u64::try_from(people.len()).unwrap_or(u64::MAX);
        let (_, page) = tx.people().list(&PersonFilter::default(), skip, PAGE).await?;
        if page.is_empty() {
            return Ok(people);
        }
        people.extend(page);
    }
}

/// A transaction in which nobody else changes who belongs to the organization, and every role is there.
async fn lock(store: &Store, org: OrgId, now: DateTime<Utc>) -> Result<TenantTx, UserError> {
    let tx = store.begin_system().await?;
    tx.ensure_roles(now).await?;
    let tx = tx.go_on_in(scope_of(org)).await?;
    tx.organization().find_for_update().await?.ok_or(UserError::NotFound)?;
    Ok(tx)
}

async fn found(store: &Store, new: &NewOrganization, now: DateTime<Utc>) -> Result<TenantTx, StoreError> {
    let tx = store.begin_system().await?;
    tx.ensure_roles(now).await?;
    let organization = tx.found(new, now).await?;
    let tx = tx.go_on_in(scope_of(organization.id)).await?;
    let details = [("name", Some(organization.name.clone())), ("tax_code", organization.tax_code.clone())];
    let event = AuditEvent {
        entity: Some("organizations"),
        entity_id: Some(organization.id.get()),
        after: Some(Details::from(details.map(|(name, value)| (name.to_owned(), value)))),
        personal: &["name", "tax_code"],
        ..AuditEvent::new(Action::OrganizationCreated, Some(organization.id), Origin::default())
    };
    tx.record(event, now).await?;
    Ok(tx)
}

async fn add(tx: &TenantTx, new: &NewPerson, now: DateTime<Utc>) -> Result<Person, UserError> {
    let org = tx.scope().org();
    let user = tx.people().create(new, now).await?;
    let person = new.clone().stored_as(user, org, now);
    tx.record(events::created(operator(org), &person, &Origin::default()), now).await?;
    Ok(person)
}

const fn operator(org: OrgId) -> By {
    By { actor: None, org }
}

#[expect(clippy::disallowed_methods, reason = "the operator may act on every organization, and names this one")]
const fn scope_of(org: OrgId) -> TenantScope {
    TenantScope::assume_verified(org, None)
}
