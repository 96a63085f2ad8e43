//! The keys of access tokens. They are the installation's, no tenant's: every replica reads all of them. Who changes one holds
//! a lock, so that of two rotations at once the second finds what the first has left.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, NotSet, QueryFilter,
    QueryOrder,
};
use sme_pulse_domain::signing_key::{KeyRecord, KeyState};

use crate::{
    Engine, Store, StoreError, SystemTx,
    connection::Transaction,
    entity::signing_key::{ActiveModel, Column, Entity, Model},
};

/// Key of the advisory lock of those who change keys (an arbitrary constant).
const LOCK_KEY: i64 = 0x4B45_5953;
/// How long a key that counts for nothing any more is still shown.
const SHOWN_FOR: TimeDelta = TimeDelta::days(7);

/// The keys, to be changed in the transaction this was borrowed from, until whose end nobody else changes any.
pub struct SigningKeys<'a> {
    tx: &'a Transaction,
    now: DateTime<Utc>,
}

impl Store {
    /// All keys, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        all(self.pool()).await
    }

    /// Removes keys that have verified nothing for a week; how many. The row of the shared secret stays: it says when its grace ended.
    #[expect(clippy::disallowed_methods, reason = "keys belong to no tenant")]
    pub async fn remove_dead_keys(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let before = now.checked_sub_signed(SHOWN_FOR).unwrap_or(now);
        let keys = self.signing_keys().await?.into_iter().filter(|key| !key.is_shared_secret());
        let dead: Vec<_> = keys.filter(|key| key.verify_until.is_some_and(|end| end < before)).collect();
        // Nothing is written when there is nothing to remove: on SQLite every commit is news for all.
        if dead.is_empty() {
            return Ok(0);
        }
        let named = Column::Kid.into_simple_expr().is_in(dead.into_iter().map(|key| key.kid));
        let tx = self.begin_system().await?;
        let removed = Entity::delete_many().filter(named).exec(tx.connection()).await?;
        tx.commit().await?;
        Ok(removed.rows_affected)
    }
}

impl SystemTx {
    /// The keys, once nobody else changes them. `now` is when what follows happens.
    pub async fn signing_keys(&self, now: DateTime<Utc>) -> Result<SigningKeys<'_>, StoreError> {
        // On SQLite the transaction itself keeps other writers out.
        if self.engine() == Engine::Postgres {
            self.connection().execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK_KEY})")).await?;
        }
        Ok(SigningKeys { tx: self.connection(), now })
    }
}

impl SigningKeys<'_> {
    /// All keys, oldest first.
    pub async fn all(&self) -> Result<Vec<KeyRecord>, StoreError> {
        all(self.tx).await
    }

    /// Adds a key. What has the state of which there is only one has to give way first.
    pub async fn add(&self, key: &KeyRecord) -> Result<(), StoreError> {
        let row = ActiveModel { created_at: Set(self.now), ..row(key, self.now) };
        Entity::insert(row).exec_without_returning(self.tx).await?;
        Ok(())
    }

    /// Writes a key that is there.
    pub async fn save(&self, key: &KeyRecord) -> Result<(), StoreError> {
        row(key, self.now).update(self.tx).await?;
        Ok(())
    }

    /// Removes a key that nobody needs to be told of: one that has never signed.
    #[expect(clippy::disallowed_methods, reason = "keys belong to no tenant")]
    pub async fn remove(&self, kid: &str) -> Result<(), StoreError> {
        Entity::delete_many().filter(Column::Kid.into_simple_expr().eq(kid)).exec(self.tx).await?;
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "keys belong to no tenant")]
async fn all(db: &impl ConnectionTrait) -> Result<Vec<KeyRecord>, StoreError> {
    let rows = Entity::find().order_by_asc(Column::PublishedAt).order_by_asc(Column::Kid).all(db).await?;
    rows.into_iter().map(record).collect()
}

fn record(row: Model) -> Result<KeyRecord, StoreError> {
    let state: KeyState = row.state.parse().map_err(|()| StoreError::Unreadable("state of a key"))?;
    Ok(KeyRecord {
        kid: row.kid,
        algorithm: row.algorithm,
        public_key: row.public_key,
        sealed: row.sealed,
        mac: row.mac,
        state,
        published_at: row.published_at,
        activated_at: row.activated_at,
        retired_at: row.retired_at,
        verify_until: row.verify_until,
        revoked_at: row.revoked_at,
    })
}

fn row(key: &KeyRecord, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        kid: Set(key.kid.clone()),
        algorithm: Set(key.algorithm.clone()),
        public_key: Set(key.public_key.clone()),
        sealed: Set(key.sealed.clone()),
        mac: Set(key.mac.clone()),
        state: Set(key.state.as_str().to_owned()),
        published_at: Set(key.published_at),
        activated_at: Set(key.activated_at),
        retired_at: Set(key.retired_at),
        verify_until: Set(key.verify_until),
        revoked_at: Set(key.revoked_at),
        created_at: NotSet,
        updated_at: Set(now),
    }
}
