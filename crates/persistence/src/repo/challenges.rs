//! Log-ins that wait for the second factor. A challenge is found by its token alone, before a tenant is known.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter,
    sea_query::{Expr, Query},
};
use sme_pulse_domain::{
    ids::{OrgId, UserId},
    tenant::TenantScope,
};

use super::exception;
use crate::{
    Store, StoreError, TenantTx,
    column::fixed_length_hash,
    connection::Transaction,
    entity::{TenantOwned, mfa_challenge, user},
};

/// Challenges inside a transaction.
pub struct Challenges<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

/// A challenge that may still be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenChallenge {
    /// Its key.
    pub id: i64,
    /// Who wants to sign in.
    pub user: UserId,
    /// Their organization.
    pub org: OrgId,
    /// When the password was right.
    pub opened_at: DateTime<Utc>,
}

impl Store {
    /// Counts an attempt at the challenge with this hash of a token, before anything is checked; `None` when there is
    /// none, or it has expired, was used, has had all its attempts, or the user's password was changed since.
    #[expect(clippy::disallowed_methods, reason = "the tenant is what is being looked up, by a unique key")]
    pub async fn count_challenge_attempt(
        &self,
        token_hash: &str,
        at_most: i32,
        now: DateTime<Utc>,
    ) -> Result<Option<OpenChallenge>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.count_challenge_attempt($1, $2, $3)";
        let open = |row: mfa_challenge::Model| OpenChallenge {
            id: row.id,
            user: UserId::new(row.user_id),
            org: OrgId::new(row.org_id),
            opened_at: row.created_at,
        };
        let values = [token_hash.into(), at_most.into(), now.into()];
        if let Some(call) = exception::call(self.pool(), FUNCTION, values) {
            return Ok(exception::rows(self.pool(), call).await?.into_iter().next().map(open));
        }
        let column = |column: mfa_challenge::Column| Expr::col((mfa_challenge::Entity, column));
        let changed_since = Query::select()
            .expr(Expr::val(1))
            .from(user::Entity)
            .and_where(
                Expr::col((user::Entity, user::Column::Id))
                    .equals((mfa_challenge::Entity, mfa_challenge::Column::UserId)),
            )
            .and_where(
                Expr::col((user::Entity, user::Column::PasswordChangedAt)).gt(column(mfa_challenge::Column::CreatedAt)),
            )
            .to_owned();
        let counted = mfa_challenge::Entity::update_many()
            .col_expr(mfa_challenge::Column::Attempts, column(mfa_challenge::Column::Attempts).add(1))
            .col_expr(mfa_challenge::Column::UpdatedAt, Expr::val(now))
            .filter(column(mfa_challenge::Column::TokenHash).eq(fixed_length_hash(token_hash)))
            .filter(column(mfa_challenge::Column::UsedAt).is_null())
            .filter(column(mfa_challenge::Column::ExpiresAt).gt(now))
            .filter(column(mfa_challenge::Column::Attempts).lt(at_most))
            .filter(Expr::not_exists(changed_since))
            .exec_with_returning(self.pool())
            .await?;
        Ok(counted.into_iter().next().map(open))
    }
}

impl TenantTx {
    /// The log-ins of this organization's users that wait for the second factor.
    pub const fn challenges(&self) -> Challenges<'_> {
        Challenges { tx: self.connection(), scope: self.scope() }
    }
}

impl Challenges<'_> {
    /// Opens a challenge under the hash of its token.
    pub async fn open(
        &self,
        user: UserId,
        token_hash: &str,
        (now, expires_at): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        let row = mfa_challenge::ActiveModel {
            user_id: Set(user.get()),
            org_id: Set(self.scope.org().get()),
            token_hash: Set(token_hash.to_owned()),
            expires_at: Set(expires_at),
            attempts: Set(0),
            used_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        mfa_challenge::Entity::insert(row).exec_without_returning(self.tx).await?;
        Ok(())
    }

    /// Uses a challenge up; `false` when somebody was faster, or it is gone.
    pub async fn use_up(&self, id: i64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let done = mfa_challenge::Entity::update_within(self.scope)
            .set(mfa_challenge::ActiveModel { used_at: Set(Some(now)), updated_at: Set(now), ..Default::default() })
            .filter(mfa_challenge::Column::Id.into_simple_expr().eq(id))
            .filter(mfa_challenge::Column::UsedAt.into_simple_expr().is_null())
            .exec(self.tx)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Removes all challenges of a user: what their log-ins are asked for has changed.
    pub async fn remove_of(&self, user: UserId) -> Result<(), StoreError> {
        let of_user = mfa_challenge::Column::UserId.into_simple_expr().eq(user.get());
        mfa_challenge::Entity::delete_within(self.scope).filter(of_user).exec(self.tx).await?;
        Ok(())
    }
}
