//! Second factors and their recovery codes. Whether a code may be used, and that it is used once, is decided by one
//! conditional statement each.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait, ExprTrait, IntoSimpleExpr, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType, OnConflict},
};
use sme_pulse_domain::{ids::UserId, tenant::TenantScope};

use crate::{
    StoreError, TenantTx,
    connection::Transaction,
    entity::{TenantOwned, mfa_factor, mfa_recovery_code},
};

/// Second factors inside a transaction.
pub struct Factors<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

/// A second factor as stored. There is no `Debug`: sealed secrets are not for logs either.
#[derive(Clone)]
pub struct StoredFactor {
    /// Its secret, encrypted.
    pub sealed: String,
    /// Since when it is asked for; `None` while it is only enrolled.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// What the use of a code leaves behind at its factor.
pub struct UsedStep {
    /// The time step of the code.
    pub step: i64,
    /// The secret encrypted anew, when the stored form is outdated.
    pub resealed: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl TenantTx {
    /// The second factors of this organization's users.
    pub const fn factors(&self) -> Factors<'_> {
        Factors { tx: self.connection(), scope: self.scope() }
    }
}

impl Factors<'_> {
    /// A user's factor, confirmed or not.
    pub async fn find(&self, user: UserId) -> Result<Option<StoredFactor>, StoreError> {
        let row = mfa_factor::Entity::within(self.scope).filter(of_user(user)).one(self.tx).await?;
        Ok(row.map(|row| StoredFactor { sealed: row.secret, confirmed_at: row.confirmed_at }))
    }

    /// The same, locked until the transaction ends, for a read that decides a write.
    pub async fn find_for_update(&self, user: UserId) -> Result<Option<StoredFactor>, StoreError> {
        let query = mfa_factor::Entity::within(self.scope).filter(of_user(user)).lock(LockType::NoKeyUpdate);
        let row = query.one(self.tx).await?;
        Ok(row.map(|row| StoredFactor { sealed: row.secret, confirmed_at: row.confirmed_at }))
    }

    /// Stores a secret to be confirmed, in place of one that was not; `false` when the user has a confirmed factor.
    pub async fn enrol(&self, user: UserId, sealed: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let row = mfa_factor::ActiveModel {
            org_id: Set(self.scope.org().get()),
            user_id: Set(user.get()),
            secret: Set(sealed.to_owned()),
            confirmed_at: Set(None),
            last_step: Set(0),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let unless_confirmed = OnConflict::column(mfa_factor::Column::UserId)
            .update_columns([mfa_factor::Column::Secret, mfa_factor::Column::LastStep, mfa_factor::Column::UpdatedAt])
            .action_and_where(Expr::col((mfa_factor::Entity, mfa_factor::Column::ConfirmedAt)).is_null())
            .to_owned();
        let stored = mfa_factor::Entity::insert(row).on_conflict(unless_confirmed).exec_without_returning(self.tx);
        Ok(stored.await? > 0)
    }

    /// Confirms the factor that has this very secret; `false` when it was confirmed or replaced meanwhile.
    pub async fn confirm(&self, user: UserId, sealed: &str, by: UsedStep) -> Result<bool, StoreError> {
        let done = mfa_factor::Entity::update_within(self.scope)
            .set(mfa_factor::ActiveModel {
                confirmed_at: Set(Some(by.at)),
                last_step: Set(by.step),
                updated_at: Set(by.at),
                ..Default::default()
            })
            .filter(of_user(user))
            .filter(mfa_factor::Column::ConfirmedAt.into_simple_expr().is_null())
            .filter(mfa_factor::Column::Secret.into_simple_expr().eq(sealed))
            .exec(self.tx)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Uses up a time step and all before it; `false` when one as new was used before, or the factor is gone.
    pub async fn use_step(&self, user: UserId, by: UsedStep) -> Result<bool, StoreError> {
        let mut changes =
            mfa_factor::ActiveModel { last_step: Set(by.step), updated_at: Set(by.at), ..Default::default() };
        if let Some(resealed) = by.resealed {
            changes.secret = Set(resealed);
        }
        let done = mfa_factor::Entity::update_within(self.scope)
            .set(changes)
            .filter(of_user(user))
            .filter(mfa_factor::Column::ConfirmedAt.into_simple_expr().is_not_null())
            .filter(mfa_factor::Column::LastStep.into_simple_expr().lt(by.step))
            .exec(self.tx)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Removes a user's factor with its recovery codes; `false` when there was none that is confirmed.
    pub async fn remove(&self, user: UserId) -> Result<bool, StoreError> {
        let done = mfa_factor::Entity::delete_within(self.scope)
            .filter(of_user(user))
            .filter(mfa_factor::Column::ConfirmedAt.into_simple_expr().is_not_null())
            .exec(self.tx)
            .await?;
        if done.rows_affected > 0 {
            self.remove_recovery_codes(user).await?;
        }
        Ok(done.rows_affected > 0)
    }

    /// Gives the user these recovery codes (by their hashes) and takes back all they had.
    pub async fn replace_recovery_codes(
        &self,
        user: UserId,
        hashes: &[String],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.remove_recovery_codes(user).await?;
        let rows = hashes.iter().map(|hash| mfa_recovery_code::ActiveModel {
            user_id: Set(user.get()),
            org_id: Set(self.scope.org().get()),
            code_hash: Set(hash.clone()),
            used_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        mfa_recovery_code::Entity::insert_many(rows).exec_without_returning(self.tx).await?;
        Ok(())
    }

    /// How many recovery codes the user has left.
    pub async fn recovery_codes_left(&self, user: UserId) -> Result<u64, StoreError> {
        let unused = mfa_recovery_code::Entity::within(self.scope)
            .filter(mfa_recovery_code::Column::UserId.into_simple_expr().eq(user.get()))
            .filter(mfa_recovery_code::Column::UsedAt.into_simple_expr().is_null());
        Ok(unused.count(self.tx).await?)
    }

    /// Uses up a recovery code; `false` when the user has none with this hash, or used it before.
    pub async fn use_recovery_code(&self, user: UserId, hash: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let done = mfa_recovery_code::Entity::update_within(self.scope)
            .set(mfa_recovery_code::ActiveModel { used_at: Set(Some(now)), updated_at: Set(now), ..Default::default() })
            .filter(mfa_recovery_code::Column::UserId.into_simple_expr().eq(user.get()))
            .filter(mfa_recovery_code::Column::CodeHash.into_simple_expr().eq(hash))
            .filter(mfa_recovery_code::Column::UsedAt.into_simple_expr().is_null())
            .exec(self.tx)
            .await?;
        Ok(done.rows_affected > 0)
    }

    async fn remove_recovery_codes(&self, user: UserId) -> Result<(), StoreError> {
        mfa_recovery_code::Entity::delete_within(self.scope)
            .filter(mfa_recovery_code::Column::UserId.into_simple_expr().eq(user.get()))
            .exec(self.tx)
            .await?;
        Ok(())
    }
}

fn of_user(user: UserId) -> Expr {
    mfa_factor::Column::UserId.into_simple_expr().eq(user.get())
}
