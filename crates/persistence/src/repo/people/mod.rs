//! The people of an organization: its own users, and members who are at home elsewhere.

mod create;
mod list;
mod roles;
mod write;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, prelude::DateTimeUtc};
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, UserId},
    person::{NewPerson, Person},
    role::RoleSet,
    tenant::TenantScope,
};

use crate::{StoreError, TenantTx, connection::Transaction};
pub(crate) use create::create_user;
pub use list::PersonFilter;

/// The people of the transaction's organization.
pub struct People<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

impl TenantTx {
    /// Who belongs to this organization.
    pub const fn people(&self) -> People<'_> {
        People { tx: self.connection(), scope: self.scope() }
    }
}

impl People<'_> {
    /// Adds a user who is at home here, with roles. A taken address is `StoreError::is_duplicate_of("email")`.
    pub async fn create(&self, new: &NewPerson, now: DateTime<Utc>) -> Result<UserId, StoreError> {
        create_user(self.tx, self.scope.org(), new, now).await
    }

    /// Gives a person exactly these roles here; nothing when they hold them already.
    pub async fn set_roles(&self, user: UserId, wanted: &RoleSet, now: DateTime<Utc>) -> Result<(), StoreError> {
        roles::set(self.tx, (user, self.scope), wanted, now).await
    }

    /// One of them; `None` for users of other organizations and for ids without a row alike.
    pub async fn find(&self, user: UserId) -> Result<Option<Person>, StoreError> {
        let row = self.tx.query_one(&list::one(self.scope, user)).await?;
        let Some(row) = row else { return Ok(None) };
        let rows = vec![Row::from_query_result(&row, "")?];
        Ok(self.with_roles(rows).await?.into_iter().next())
    }

    /// How many match, and a part of them, the latest first.
    pub async fn list(&self, filter: &PersonFilter, skip: u64, limit: u64) -> Result<(u64, Vec<Person>), StoreError> {
        let people = list::People::new(self.scope, filter, self.tx.get_database_backend());
        let total = self.tx.query_one(&people.count()).await?;
        let total: i64 = total.map_or(Ok(0), |row| row.try_get("", "total"))?;
        let rows = self.tx.query_all(&people.page(skip, limit)).await?;
        let rows: Result<Vec<Row>, _> = rows.iter().map(|row| Row::from_query_result(row, "")).collect();
        Ok((u64::try_from(total).unwrap_or_default(), self.with_roles(rows?).await?))
    }

    /// Whether anybody but this user is an active owner who is at home here. Those from elsewhere do not count: their own
    /// organization may close their accounts at any time. It holds until the transaction ends only if the organization
    /// is locked, and whoever changes owners locks it first.
    pub async fn has_other_active_owner(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(self.tx.query_one(&list::home_owners_but(self.scope, user)).await?.is_some())
    }

    /// One query for the roles of all of them.
    async fn with_roles(&self, rows: Vec<Row>) -> Result<Vec<Person>, StoreError> {
        let mut held = roles::of(self.tx, self.scope, rows.iter().map(|row| row.id)).await?;
        let person = |row: Row| {
            let roles = held.remove(&row.id).unwrap_or_default();
            row.into_person(self.scope.org(), roles)
        };
        rows.into_iter().map(person).collect()
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    email: String,
    full_name: Option<String>,
    account_status: String,
    membership_status: Option<String>,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
    last_login_at: Option<DateTimeUtc>,
}

impl Row {
    fn into_person(self, org: OrgId, roles: RoleSet) -> Result<Person, StoreError> {
        let status = |word: String| word.parse().map_err(|_| StoreError::Unreadable("status"));
        Ok(Person {
            id: UserId::new(self.id),
            org,
            email: Email::stored(self.email),
            full_name: self.full_name,
            account: status(self.account_status)?,
            membership: self.membership_status.map(status).transpose()?,
            roles,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_login_at: self.last_login_at,
        })
    }
}
