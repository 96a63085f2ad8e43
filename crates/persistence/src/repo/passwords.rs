//! The passwords of an organization's users, and the tokens by which a forgotten one is set anew.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, NotSet, QueryFilter,
    QuerySelect, QueryTrait, sea_query::LockType,
};
use sme_pulse_domain::{email::Email, ids::UserId, tenant::TenantScope};

use super::exception;
use crate::{
    Store, StoreError, TenantTx,
    column::fixed_length_hash,
    connection::Transaction,
    entity::{TenantOwned, organization, password_reset_token, user},
};

/// Passwords inside a transaction.
pub struct Passwords<'a> {
    pub(super) tx: &'a Transaction,
    pub(super) scope: TenantScope,
}

/// A password to be stored. There is no `Debug`: hashes are not for logs.
pub struct NewHash {
    /// Whose.
    pub user: UserId,
    /// The hash.
    pub hash: String,
    /// When it was set.
    pub at: DateTime<Utc>,
}

/// A reset token to be stored, as its SHA-256 in 64 hexadecimal digits. There is no `Debug`.
pub struct NewResetToken {
    /// Whose password it sets.
    pub user: UserId,
    /// The SHA-256 of the token.
    pub hash: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
}

impl TenantTx {
    /// The passwords of this organization's users.
    pub const fn passwords(&self) -> Passwords<'_> {
        Passwords { tx: self.connection(), scope: self.scope() }
    }
}

impl Store {
    /// The address of the user whom a live reset token belongs to, by the token's hash.
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever has the token is in no tenant yet; it finds one user by a unique key"
    )]
    pub async fn email_of_reset_token(&self, hash: &str, now: DateTime<Utc>) -> Result<Option<Email>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.email_of_reset_token($1, $2)";
        if let Some(call) = exception::call(self.pool(), FUNCTION, [hash.into(), now.into()]) {
            let row = self.pool().query_one_raw(call).await?;
            return Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.map(Email::stored));
        }
        let users = password_reset_token::Entity::find()
            .select_only()
            .column(password_reset_token::Column::UserId)
            .filter(is_live(hash, now))
            .into_query();
        let address = user::Entity::find()
            .select_only()
            .column(user::Column::Email)
            .filter(user::Column::Id.into_simple_expr().in_subquery(users))
            .into_tuple::<String>()
            .one(self.pool())
            .await?;
        Ok(address.map(Email::stored))
    }
}

impl Passwords<'_> {
    /// Whether this is an active user of an active organization, locked until the transaction ends so that changes of
    /// one user's password queue up. Take this lock first.
    pub async fn lock_active(&self, user: UserId) -> Result<bool, StoreError> {
        let active = organization::Entity::within(self.scope)
            .select_only()
            .column(organization::Column::Id)
            .filter(organization::Column::Status.into_simple_expr().eq("active"))
            .into_query();
        let row = user::Entity::within(self.scope)
            .filter(user::Column::Id.into_simple_expr().eq(user.get()))
            .filter(user::Column::Status.into_simple_expr().eq("active"))
            .filter(user::Column::OrgId.into_simple_expr().in_subquery(active))
            .lock(LockType::NoKeyUpdate)
            .one(self.tx)
            .await?;
        Ok(row.is_some())
    }

    /// The stored hash of a user; `None` only if the user was removed meanwhile.
    pub async fn find(&self, user: UserId) -> Result<Option<String>, StoreError> {
        let row = user::Entity::within(self.scope).filter(user::Column::Id.into_simple_expr().eq(user.get()));
        Ok(row.one(self.tx).await?.map(|row| row.password_hash))
    }

    /// Stores a new hash; with `compared`, only while that one is still stored. Says whether it was.
    pub async fn set(&self, new: &NewHash, compared: Option<&str>) -> Result<bool, StoreError> {
        let changes = user::ActiveModel {
            password_hash: Set(new.hash.clone()),
            password_changed_at: Set(Some(new.at)),
            updated_at: Set(new.at),
            ..Default::default()
        };
        let mut update = user::Entity::update_within(self.scope)
            .set(changes)
            .filter(user::Column::Id.into_simple_expr().eq(new.user.get()));
        if let Some(compared) = compared {
            update = update.filter(user::Column::PasswordHash.into_simple_expr().eq(compared));
        }
        Ok(update.exec(self.tx).await?.rows_affected > 0)
    }

    /// Stores a reset token in place of all older ones of its user.
    pub async fn replace_reset_token(&self, new: &NewResetToken) -> Result<(), StoreError> {
        self.void_reset_tokens(new.user).await?;
        password_reset_token::ActiveModel {
            id: NotSet,
            user_id: Set(new.user.get()),
            token_hash: Set(new.hash.clone()),
            expires_at: Set(new.expires_at),
            used_at: Set(None),
            created_at: Set(new.created_at),
            updated_at: Set(new.created_at),
        }
        .insert(self.tx)
        .await?;
        Ok(())
    }

    /// Removes all reset tokens of a user, used ones too.
    #[expect(clippy::disallowed_methods, reason = "confined to the tenant by the subquery")]
    pub async fn void_reset_tokens(&self, user: UserId) -> Result<(), StoreError> {
        password_reset_token::Entity::delete_many()
            .filter(password_reset_token::Column::UserId.into_simple_expr().in_subquery(self.one(user)))
            .exec(self.tx)
            .await?;
        Ok(())
    }

    /// Uses a live reset token of this user up, in one step with the check; of several who try, one is told `true`.
    #[expect(clippy::disallowed_methods, reason = "confined to the tenant by the subquery")]
    pub async fn use_reset_token(&self, user: UserId, hash: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let done = password_reset_token::Entity::update_many()
            .set(password_reset_token::ActiveModel {
                used_at: Set(Some(now)),
                updated_at: Set(now),
                ..Default::default()
            })
            .filter(is_live(hash, now))
            .filter(password_reset_token::Column::UserId.into_simple_expr().in_subquery(self.one(user)))
            .exec(self.tx)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// The user's key, if the user is of this organization.
    fn one(&self, user: UserId) -> sea_orm::sea_query::SelectStatement {
        user::Entity::within(self.scope)
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Id.into_simple_expr().eq(user.get()))
            .into_query()
    }
}

fn is_live(hash: &str, now: DateTime<Utc>) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(password_reset_token::Column::TokenHash.into_simple_expr().eq(fixed_length_hash(hash)))
        .add(password_reset_token::Column::UsedAt.into_simple_expr().is_null())
        .add(password_reset_token::Column::ExpiresAt.into_simple_expr().gt(now))
}
