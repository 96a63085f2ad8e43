//! Demo data at size: as many organizations as are asked for, each with people in every role, partners and accounts. The
//! same seed gives the same rows. An organization is written whole or not at all, so a run that was stopped is completed by
//! the next one, and one that is there already stays as it is.

mod rows;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    ids::OrgId,
    role::Role,
};

use super::Seeder;
use crate::{
    Engine, Store, StoreError, SystemTx,
    entity::{account, customer, organization, role, supplier, user, user_role},
    retrying,
};
use rows::Rows;

/// Organizations of one transaction: few enough that nobody else waits long for the end of it.
const AT_ONCE: u32 = 10;
/// Rows of one statement: SQLite takes at most 32,766 values in one.
const ROWS_AT_ONCE: usize = 1000;

/// How much is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoSize {
    /// Organizations.
    pub organizations: u32,
    /// People in each; the first one owns it.
    pub users: u32,
    /// Customers of each.
    pub customers: u32,
    /// What the rows are made from.
    pub seed: u64,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DemoReport {
    /// Organizations that are new, with everything in them.
    pub created: u32,
    /// Organizations that were there already.
    pub existing: u32,
}

impl DemoSize {
    /// The log-in name of somebody: both numbers count from 1, and the first person owns the organization.
    pub fn email(&self, organization: u32, user: u32) -> String {
        rows::email(self.seed, organization, user)
    }
}

/// Writes what is missing, and says after each transaction how many organizations are done. Everybody gets the same
/// `password_hash`.
pub async fn run(
    store: &Store,
    size: &DemoSize,
    (password_hash, now): (&str, DateTime<Utc>),
    progress: impl Fn(u32),
) -> Result<DemoReport, StoreError> {
    let mut report = DemoReport::default();
    let mut first = 1;
    while first <= size.organizations {
        let last = first.saturating_add(AT_ONCE - 1).min(size.organizations);
        let created = retrying(|| async {
            let tx = store.begin_system().await?;
            let demo = Demo { tx: &tx, rows: Rows { size: *size, password_hash }, now };
            let created = demo.write(first, last).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(created)
        })
        .await?;
        let all = last.saturating_sub(first).saturating_add(1);
        report.created = report.created.saturating_add(created);
        report.existing = report.existing.saturating_add(all.saturating_sub(created));
        progress(last);
        first = last.saturating_add(1);
    }
    if report.created > 0 && store.engine() == Engine::Postgres {
        // So much at once changes what a plan should be; the server's own look comes a minute later.
        store.pool().execute_unprepared("ANALYZE").await?;
    }
    Ok(report)
}

struct Demo<'a> {
    tx: &'a SystemTx,
    rows: Rows<'a>,
    now: DateTime<Utc>,
}

impl Demo<'_> {
    /// How many of these organizations were missing.
    async fn write(&self, first: u32, last: u32) -> Result<u32, StoreError> {
        let seeder = Seeder { tx: self.tx, now: self.now };
        seeder.lock().await?;
        let roles = self.roles(&seeder).await?;
        let known = self.known(first, last).await?;
        let missing: Vec<u32> = (first..=last).filter(|number| !known.contains(&self.rows.tax_code(*number))).collect();
        let made = self.organizations(&missing).await?;
        let users = self.insert_returning(made.iter().flat_map(|(org, number)| self.rows.users(*org, *number))).await?;
        self.insert::<user_role::Entity>(users.iter().filter_map(|user: &user::Model| {
            let role = roles.get(&self.rows.role(&user.email)?)?;
            Some(self.rows.user_role(user, *role))
        }))
        .await?;
        let with = made.iter().copied();
        self.insert::<customer::Entity>(with.clone().flat_map(|(org, number)| self.rows.customers(org, number)))
            .await?;
        self.insert::<supplier::Entity>(with.clone().flat_map(|(org, number)| self.rows.suppliers(org, number)))
            .await?;
        self.insert::<account::Entity>(with.flat_map(|(org, number)| self.rows.accounts(org, number))).await?;
        for (org, _) in &made {
            self.record(*org).await?;
        }
        Ok(u32::try_from(made.len()).unwrap_or(u32::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "roles belong to no tenant")]
    async fn roles(&self, seeder: &Seeder<'_>) -> Result<HashMap<Role, i64>, StoreError> {
        for role in Role::ALL {
            seeder.role(role).await?;
        }
        let stored = role::Entity::find().all(seeder.db()).await?;
        let known = |row: role::Model| Some((Role::ALL.into_iter().find(|role| role.code() == row.code)?, row.id));
        Ok(stored.into_iter().filter_map(known).collect())
    }

    /// The tax codes of those that are there.
    #[expect(clippy::disallowed_methods, reason = "the tenants are what is being looked up")]
    async fn known(&self, first: u32, last: u32) -> Result<HashSet<String>, StoreError> {
        let codes = (first..=last).map(|number| self.rows.tax_code(number));
        let query = organization::Entity::find().filter(organization::Column::TaxCode.is_in(codes));
        let found = query.all(self.tx.connection()).await?;
        Ok(found.into_iter().filter_map(|row| row.tax_code).collect())
    }

    /// Keys and numbers of the new organizations.
    async fn organizations(&self, missing: &[u32]) -> Result<Vec<(OrgId, u32)>, StoreError> {
        let made: Vec<organization::Model> =
            self.insert_returning(missing.iter().map(|number| self.rows.organization(*number))).await?;
        let ids: HashMap<_, _> = made.into_iter().filter_map(|row| Some((row.tax_code?, row.id))).collect();
        let numbered = |number: &u32| Some((OrgId::new(*ids.get(&self.rows.tax_code(*number))?), *number));
        Ok(missing.iter().filter_map(numbered).collect())
    }

    async fn insert<E: EntityTrait>(&self, rows: impl Iterator<Item = E::ActiveModel>) -> Result<(), StoreError> {
        let rows: Vec<_> = rows.collect();
        for some in rows.chunks(ROWS_AT_ONCE) {
            E::insert_many(some.iter().cloned()).exec_without_returning(self.tx.connection()).await?;
        }
        Ok(())
    }

    async fn insert_returning<A>(
        &self,
        rows: impl Iterator<Item = A>,
    ) -> Result<Vec<<A::Entity as EntityTrait>::Model>, StoreError>
    where
        A: sea_orm::ActiveModelTrait + Send,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        let (rows, mut made) = (rows.collect::<Vec<_>>(), Vec::new());
        for some in rows.chunks(ROWS_AT_ONCE) {
            let many = A::Entity::insert_many(some.iter().cloned());
            made.extend(many.exec_with_returning(self.tx.connection()).await?);
        }
        Ok(made)
    }

    async fn record(&self, org: OrgId) -> Result<(), StoreError> {
        let mut event = AuditEvent::new(Action::Seeded, Some(org), Origin::default());
        event.entity = Some("organizations");
        event.entity_id = Some(org.get());
        event.after = Some(Details::from([("demo_seed".to_owned(), Some(self.rows.size.seed.to_string()))]));
        self.tx.record(event, self.now).await
    }
}
