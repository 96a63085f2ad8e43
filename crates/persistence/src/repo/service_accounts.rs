//! The operator's service accounts. Whoever serves requests finds one by the public part of its key, and nothing else; the
//! rest is for the operator's commands.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, EntityTrait, ExprTrait, IntoSimpleExpr, NotSet, QueryFilter, QueryOrder,
};
use sme_pulse_domain::{
    api_key::{KeyName, KeyPrefix, ServiceAccount},
    permission_set::PermissionSet,
};

use super::exception;
use crate::{
    Store, StoreError, SystemTx,
    entity::service_account::{ActiveModel, Column, Entity, Model},
};

/// A service account to be stored. There is no `Debug`: it holds a hash.
pub struct NewServiceAccount<'a> {
    /// What the operator calls it.
    pub name: &'a KeyName,
    /// What its key begins with.
    pub prefix: KeyPrefix,
    /// The SHA-256 of its key, in 64 hexadecimal digits.
    pub key_hash: &'a str,
    /// What it may ask.
    pub permissions: &'a PermissionSet,
    /// When it is over.
    pub expires_at: Option<DateTime<Utc>>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A service account and the hash of its key. There is no `Debug`.
pub struct KnownServiceAccount {
    /// The account.
    pub account: ServiceAccount,
    /// The SHA-256 of its whole key.
    pub key_hash: String,
}

impl Store {
    /// The service account whose key has this public part, live or not.
    #[expect(clippy::disallowed_methods, reason = "of no tenant, and found by a unique key")]
    pub async fn service_account(&self, prefix: KeyPrefix) -> Result<Option<KnownServiceAccount>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.find_service_account($1)";
        self.count_principal_read();
        let found = if let Some(call) = exception::call(self.pool(), FUNCTION, [prefix.as_str().into()]) {
            exception::rows::<Model>(self.pool(), call).await?.into_iter().next()
        } else {
            let with_it = Entity::find().filter(Column::Prefix.into_simple_expr().eq(prefix.as_str()));
            with_it.one(self.pool()).await?
        };
        let known = |row: Model| {
            let key_hash = row.key_hash.clone();
            to_domain(row).map(|account| KnownServiceAccount { account, key_hash })
        };
        found.map(known).transpose()
    }
}

impl SystemTx {
    /// All of them, revoked ones too, oldest first. Only the operator sees any.
    #[expect(clippy::disallowed_methods, reason = "of no tenant")]
    pub async fn service_accounts(&self) -> Result<Vec<ServiceAccount>, StoreError> {
        let rows = Entity::find().order_by_asc(Column::Id).all(self.connection()).await?;
        rows.into_iter().map(to_domain).collect()
    }

    /// Stores one. A name that another has which was not revoked is `StoreError::is_duplicate_of("name")`.
    pub async fn add_service_account(&self, new: &NewServiceAccount<'_>) -> Result<ServiceAccount, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            name: Set(new.name.as_str().to_owned()),
            prefix: Set(new.prefix.to_string()),
            key_hash: Set(new.key_hash.to_owned()),
            permissions: Set(new.permissions.codes()),
            expires_at: Set(new.expires_at),
            last_used_at: Set(None),
            revoked_at: Set(None),
            created_at: Set(new.at),
            updated_at: Set(new.at),
        };
        to_domain(row.insert(self.connection()).await?)
    }

    /// Revokes the one with this name; `None` when there is none that was not revoked before.
    #[expect(clippy::disallowed_methods, reason = "of no tenant, and found by its name")]
    pub async fn revoke_service_account(
        &self,
        name: &KeyName,
        now: DateTime<Utc>,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let revoked = Entity::update_many()
            .set(ActiveModel { revoked_at: Set(Some(now)), updated_at: Set(now), ..Default::default() })
            .filter(Column::Name.into_simple_expr().eq(name.as_str()))
            .filter(Column::RevokedAt.into_simple_expr().is_null())
            .exec_with_returning(self.connection())
            .await?;
        revoked.into_iter().next().map(to_domain).transpose()
    }
}

fn to_domain(row: Model) -> Result<ServiceAccount, StoreError> {
    Ok(ServiceAccount {
        id: row.id,
        name: KeyName::stored(row.name),
        prefix: KeyPrefix::parse(&row.prefix).ok_or(StoreError::Unreadable("prefix"))?,
        permissions: PermissionSet::stored(&row.permissions),
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
        created_at: row.created_at,
    })
}
