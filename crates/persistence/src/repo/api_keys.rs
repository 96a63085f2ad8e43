//! An organization's keys for programs. One is found by its public part alone, before a tenant is known; everything else is
//! done inside the organization.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    Condition, ConnectionTrait, DbBackend, ExprTrait, FromQueryResult, IntoSimpleExpr, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Statement,
    prelude::DateTimeUtc,
    sea_query::{Expr, LockType},
};
use sme_pulse_domain::{
    api_key::{ApiKey, KeyName, KeyPrefix, KeyStatus},
    ids::{ApiKeyId, OrgId, UserId},
    permission_set::PermissionSet,
    tenant::TenantScope,
};

use super::{
    exception,
    identity::{Found, PrincipalRow, Row},
    search::contains,
};
use crate::{
    Store, StoreError, TenantTx,
    connection::Transaction,
    entity::{
        TenantOwned,
        api_key::{ActiveModel, Column, Entity, Model},
    },
};

/// Keys inside a transaction.
pub struct ApiKeys<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

/// A key to be stored. There is no `Debug`: it holds a hash.
pub struct NewApiKey<'a> {
    /// What people call it.
    pub name: &'a KeyName,
    /// What it begins with.
    pub prefix: KeyPrefix,
    /// Its SHA-256, in 64 hexadecimal digits.
    pub key_hash: &'a str,
    /// What it may do.
    pub permissions: &'a PermissionSet,
    /// For whom it acts.
    pub created_by: UserId,
    /// When it is over.
    pub expires_at: Option<DateTime<Utc>>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Which keys are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyFilter {
    /// What has become of them.
    pub status: Option<KeyStatus>,
    /// A part of the name, in any letter case.
    pub search: Option<String>,
}

/// A key, and the person for whom it acts as they are now in its organization. There is no `Debug`: it holds a hash.
pub struct KnownApiKey {
    /// Key of the row.
    pub id: ApiKeyId,
    /// The SHA-256 of the whole key.
    pub key_hash: String,
    /// What it was given.
    pub permissions: PermissionSet,
    /// When it is over.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// For whom it acts.
    pub creator: PrincipalRow,
}

/// What `auth.find_api_key` does on PostgreSQL. One row a role; a creator who holds none has one row.
const BY_PREFIX: &str = "SELECT u.id, u.org_id, u.email, u.full_name, u.status, u.last_login_at, \
        o.id AS in_org_id, o.status AS org_status, m.status AS membership_status, r.code AS role_code, \
        k.id AS api_key_id, k.key_hash, k.permissions, k.expires_at AS key_expires_at, k.revoked_at AS key_revoked_at \
    FROM api_keys AS k JOIN users AS u ON u.id = k.created_by JOIN organizations AS o ON o.id = k.org_id \
    LEFT JOIN user_roles AS h ON h.user_id = u.id AND h.org_id = o.id LEFT JOIN roles AS r ON r.id = h.role_id \
    LEFT JOIN memberships AS m ON m.user_id = u.id AND m.org_id = o.id \
    WHERE k.prefix = $1";

#[derive(FromQueryResult)]
struct FoundKey {
    #[sea_orm(nested)]
    creator: Row,
    api_key_id: i64,
    key_hash: String,
    permissions: String,
    key_expires_at: Option<DateTimeUtc>,
    key_revoked_at: Option<DateTimeUtc>,
}

impl Store {
    /// The key with this public part, in whatever organization, live or not: one read by a unique index.
    pub async fn api_key(&self, prefix: KeyPrefix) -> Result<Option<KnownApiKey>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.find_api_key($1)";
        self.count_principal_read();
        let (db, wanted) = (self.pool(), [prefix.as_str().into()]);
        let call = exception::call(db, FUNCTION, wanted.clone());
        let call = call.unwrap_or_else(|| Statement::from_sql_and_values(db.get_database_backend(), BY_PREFIX, wanted));
        let mut rows = exception::rows::<FoundKey>(db, call).await?;
        let Some(last) = rows.pop() else { return Ok(None) };
        let FoundKey { creator, api_key_id, key_hash, permissions, key_expires_at, key_revoked_at } = last;
        let people = rows.into_iter().map(|row| row.creator).chain([creator]).collect();
        let creator = Found::from_rows(people)?.map(PrincipalRow::from);
        Ok(creator.map(|creator| KnownApiKey {
            id: ApiKeyId::new(api_key_id),
            key_hash,
            permissions: PermissionSet::stored(&permissions),
            expires_at: key_expires_at,
            revoked_at: key_revoked_at,
            creator,
        }))
    }
}

impl TenantTx {
    /// The keys of this organization.
    pub const fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys { tx: self.connection(), scope: self.scope() }
    }
}

impl ApiKeys<'_> {
    /// How many match, and a part of them, newest first.
    pub async fn list(
        &self,
        filter: &ApiKeyFilter,
        (skip, limit): (u64, u64),
        now: DateTime<Utc>,
    ) -> Result<(u64, Vec<ApiKey>), StoreError> {
        let matching = Entity::within(self.scope).filter(filter.condition(now, self.tx.get_database_backend()));
        let total = matching.clone().count(self.tx).await?;
        let newest = matching.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).offset(skip).limit(limit);
        let rows = newest.all(self.tx).await?;
        Ok((total, rows.into_iter().map(to_domain).collect::<Result<_, _>>()?))
    }

    /// The key.
    pub async fn find(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        Entity::within(self.scope).filter(is(id)).one(self.tx).await?.map(to_domain).transpose()
    }

    /// The same, locked until the transaction ends.
    pub async fn find_for_update(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let row = Entity::within(self.scope).filter(is(id)).lock(LockType::Update).one(self.tx).await?;
        row.map(to_domain).transpose()
    }

    /// How many count now.
    pub async fn count_live(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(Entity::within(self.scope).filter(with_status(KeyStatus::Active, now)).count(self.tx).await?)
    }

    /// Stores a key.
    pub async fn add(&self, new: &NewApiKey<'_>) -> Result<ApiKey, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            org_id: Set(self.scope.org().get()),
            name: Set(new.name.as_str().to_owned()),
            prefix: Set(new.prefix.to_string()),
            key_hash: Set(new.key_hash.to_owned()),
            permissions: Set(new.permissions.codes()),
            created_by: Set(new.created_by.get()),
            expires_at: Set(new.expires_at),
            last_used_at: Set(None),
            revoked_at: Set(None),
            created_at: Set(new.at),
            updated_at: Set(new.at),
        };
        to_domain(row.insert(self.tx).await?)
    }

    /// Revokes a key.
    pub async fn revoke(&self, id: ApiKeyId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let changes = ActiveModel { revoked_at: Set(Some(now)), updated_at: Set(now), ..Default::default() };
        Entity::update_within(self.scope).set(changes).filter(is(id)).exec(self.tx).await?;
        Ok(())
    }

    /// Revokes all that act for a person here; those that were revoked by this.
    pub async fn revoke_all_of(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<ApiKey>, StoreError> {
        let changes = ActiveModel { revoked_at: Set(Some(now)), updated_at: Set(now), ..Default::default() };
        let revoked = Entity::update_within(self.scope)
            .set(changes)
            .filter(Column::CreatedBy.into_simple_expr().eq(user.get()))
            .filter(Column::RevokedAt.into_simple_expr().is_null())
            .exec_with_returning(self.tx)
            .await?;
        let mut revoked = revoked.into_iter().map(to_domain).collect::<Result<Vec<_>, _>>()?;
        revoked.sort_by_key(|key| key.id);
        Ok(revoked)
    }
}

impl ApiKeyFilter {
    fn condition(&self, now: DateTime<Utc>, backend: DbBackend) -> Condition {
        let by_status = self.status.map_or_else(Condition::all, |status| with_status(status, now));
        let Some(search) = &self.search else { return by_status };
        by_status.add(contains(backend, Column::Name.into_simple_expr(), search))
    }
}

fn with_status(status: KeyStatus, now: DateTime<Utc>) -> Condition {
    let revoked = || Column::RevokedAt.into_simple_expr();
    let end = || Column::ExpiresAt.into_simple_expr();
    match status {
        KeyStatus::Revoked => Condition::all().add(revoked().is_null().not()),
        KeyStatus::Expired => Condition::all().add(revoked().is_null()).add(end().lte(now)),
        KeyStatus::Active => {
            Condition::all().add(revoked().is_null()).add(Condition::any().add(end().is_null()).add(end().gt(now)))
        }
    }
}

fn is(id: ApiKeyId) -> Expr {
    Column::Id.into_simple_expr().eq(id.get())
}

fn to_domain(row: Model) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: ApiKeyId::new(row.id),
        org: OrgId::new(row.org_id),
        name: KeyName::stored(row.name),
        prefix: KeyPrefix::parse(&row.prefix).ok_or(StoreError::Unreadable("prefix"))?,
        permissions: PermissionSet::stored(&row.permissions),
        created_by: UserId::new(row.created_by),
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
        created_at: row.created_at,
    })
}
