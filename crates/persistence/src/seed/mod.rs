//! The demo data: idempotent and repairing. A second run adds what is missing and changes nothing that exists.

mod data;
pub mod demo;
mod report;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, NotSet, QueryFilter,
};
use sme_pulse_domain::{
    account::NewAccount,
    audit::{Action, AuditEvent, Origin},
    email::Email,
    ids::OrgId,
    partner::NewPartner,
    role::Role,
    status::Status,
    tenant::TenantScope,
};

use crate::{
    Engine, Store, StoreError, SystemTx,
    connection::Transaction,
    entity::{TenantOwned, account, customer, organization, role, supplier, user, user_role},
    repo::{accounts::new_row, partners::table::PartnerTable},
};
pub use data::ADMIN_EMAIL;
pub use report::{SeedReport, Seeded};

/// Key of the advisory lock that keeps two seeders of one PostgreSQL database apart (an arbitrary constant).
const LOCK_KEY: i64 = 0x5345_4544;

/// Writes the seed rows in one transaction and reports which of them were new. `admin_hash` is the password hash for
/// the demo administrator; it is used only when that user does not exist.
pub async fn run(store: &Store, admin_hash: &str, now: DateTime<Utc>) -> Result<SeedReport, StoreError> {
    let tx = store.begin_system().await?;
    let report = Seeder { tx: &tx, now }.run(admin_hash).await?;
    if report.anything_new() {
        let mut event = AuditEvent::new(Action::Seeded, Some(report.org), Origin::default());
        event.entity = Some("organizations");
        event.entity_id = Some(report.org.get());
        tx.record(event, now).await?;
    }
    tx.commit().await?;
    Ok(report)
}

struct Seeder<'a> {
    tx: &'a SystemTx,
    now: DateTime<Utc>,
}

impl Seeder<'_> {
    const fn db(&self) -> &Transaction {
        self.tx.connection()
    }

    /// Keeps other seeders out until the transaction ends.
    async fn lock(&self) -> Result<(), StoreError> {
        if self.tx.engine() == Engine::Postgres {
            self.db().execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK_KEY})")).await?;
        }
        Ok(())
    }

    async fn run(&self, admin_hash: &str) -> Result<SeedReport, StoreError> {
        self.lock().await?;
        let mut roles = Vec::new();
        for role in Role::ALL {
            roles.push(self.role(role).await?);
        }
        let admin = self.admin().await?;
        let (org, organization) = self.organization(admin.as_ref()).await?;
        let (admin_id, user) = match admin {
            Some(found) => (found.id, Seeded::existing(data::ADMIN_EMAIL)),
            None => (self.create_admin(org, admin_hash).await?, Seeded::new(data::ADMIN_EMAIL)),
        };
        let links = self.link_roles(admin_id, org).await?;
        let scope = scope_of(org);
        let mut report = SeedReport {
            org,
            roles,
            organization,
            user,
            links,
            customers: vec![],
            suppliers: vec![],
            accounts: vec![],
        };
        for partner in data::customers() {
            report.customers.push(self.partner::<customer::Entity>(scope, &partner).await?);
        }
        for partner in data::suppliers() {
            report.suppliers.push(self.partner::<supplier::Entity>(scope, &partner).await?);
        }
        for account in data::accounts() {
            report.accounts.push(self.account(scope, account).await?);
        }
        Ok(report)
    }

    #[expect(clippy::disallowed_methods, reason = "roles belong to no tenant")]
    async fn role(&self, role: Role) -> Result<Seeded, StoreError> {
        let known = role::Entity::find().filter(role::Column::Code.eq(role.code())).one(self.db()).await?;
        if known.is_some() {
            return Ok(Seeded::existing(role.code()));
        }
        let row = role::ActiveModel {
            id: NotSet,
            code: Set(role.code().to_owned()),
            name: Set(role.name().to_owned()),
            description: Set(Some(role.description().to_owned())),
            created_at: Set(self.now),
            updated_at: Set(self.now),
        };
        row.insert(self.db()).await?;
        Ok(Seeded::new(role.code()))
    }

    #[expect(clippy::disallowed_methods, reason = "the address is unique over all tenants and tells which one it is")]
    async fn admin(&self) -> Result<Option<user::Model>, StoreError> {
        Ok(user::Entity::find().filter(user::Column::Email.eq(data::ADMIN_EMAIL)).one(self.db()).await?)
    }

    /// Through the administrator first: a company that has changed its tax code is still the demo company.
    #[expect(clippy::disallowed_methods, reason = "the tenant is what is being looked up")]
    async fn organization(&self, admin: Option<&user::Model>) -> Result<(OrgId, Seeded), StoreError> {
        let query = match admin {
            Some(admin) => organization::Entity::find().filter(organization::Column::Id.eq(admin.org_id)),
            None => organization::Entity::find().filter(organization::Column::TaxCode.eq(data::ORG_TAX_CODE)),
        };
        if let Some(found) = query.one(self.db()).await? {
            return Ok((OrgId::new(found.id), Seeded::existing(&found.name)));
        }
        let row = organization::ActiveModel {
            id: NotSet,
            name: Set(data::ORG_NAME.to_owned()),
            tax_code: Set(Some(data::ORG_TAX_CODE.to_owned())),
            address: Set(Some(data::ORG_ADDRESS.to_owned())),
            phone: Set(Some(data::ORG_PHONE.to_owned())),
            email: Set(Some(data::ORG_EMAIL.to_owned())),
            status: Set(Status::Active.as_str().to_owned()),
            created_at: Set(self.now),
            updated_at: Set(self.now),
        };
        let created = row.insert(self.db()).await?;
        Ok((OrgId::new(created.id), Seeded::new(data::ORG_NAME)))
    }

    async fn create_admin(&self, org: OrgId, hash: &str) -> Result<i64, StoreError> {
        let email = Email::stored(data::ADMIN_EMAIL.to_owned());
        let row = user::ActiveModel {
            id: NotSet,
            org_id: Set(org.get()),
            email: Set(email.as_str().to_owned()),
            password_hash: Set(hash.to_owned()),
            full_name: Set(Some(data::ADMIN_NAME.to_owned())),
            status: Set(Status::Active.as_str().to_owned()),
            last_login_at: Set(None),
            password_changed_at: Set(None),
            created_at: Set(self.now),
            updated_at: Set(self.now),
        };
        Ok(row.insert(self.db()).await?.id)
    }

    #[expect(clippy::disallowed_methods, reason = "roles belong to no tenant")]
    async fn link_roles(&self, user: i64, org: OrgId) -> Result<Vec<Seeded>, StoreError> {
        let mut links = Vec::new();
        for wanted in data::ADMIN_ROLES {
            let role = role::Entity::find().filter(role::Column::Code.eq(wanted.code())).one(self.db()).await?;
            let role = role.ok_or(StoreError::Unreadable("role"))?;
            let held = user_role::Entity::within(scope_of(org))
                .filter(user_role::Column::UserId.eq(user))
                .filter(user_role::Column::RoleId.eq(role.id));
            if held.one(self.db()).await?.is_some() {
                links.push(Seeded::existing(wanted.code()));
                continue;
            }
            let row = user_role::ActiveModel {
                user_id: Set(user),
                org_id: Set(org.get()),
                role_id: Set(role.id),
                created_at: Set(self.now),
                updated_at: Set(self.now),
            };
            row.insert(self.db()).await?;
            links.push(Seeded::new(wanted.code()));
        }
        Ok(links)
    }

    async fn partner<T: PartnerTable>(&self, scope: TenantScope, new: &NewPartner) -> Result<Seeded, StoreError> {
        // By tax code, and by code as well: a corrected tax code must not make the unique code collide.
        let same = Condition::any().add(T::TAX_CODE.eq(new.tax_code.clone())).add(T::CODE.eq(new.code.clone()));
        if T::within(scope).filter(same).one(self.db()).await?.is_some() {
            return Ok(Seeded::existing(&new.name));
        }
        T::insert(T::new_row(scope.org(), new, self.now)).exec_without_returning(self.db()).await?;
        Ok(Seeded::new(&new.name))
    }

    async fn account(&self, scope: TenantScope, new: NewAccount) -> Result<Seeded, StoreError> {
        let label = format!("{} ({})", new.name, new.code.as_deref().unwrap_or_default());
        let same = account::Entity::within(scope).filter(account::Column::Code.eq(new.code.clone()));
        if same.one(self.db()).await?.is_some() {
            return Ok(Seeded::existing(&label));
        }
        new_row(scope.org(), &new, self.now).insert(self.db()).await?;
        Ok(Seeded::new(&label))
    }
}

#[expect(clippy::disallowed_methods, reason = "the seeder acts for the system inside the demo organization")]
const fn scope_of(org: OrgId) -> TenantScope {
    TenantScope::assume_verified(org, None)
}
