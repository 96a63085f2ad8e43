//! Whose password was last set by somebody else than themselves.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use sme_pulse_domain::ids::UserId;

use super::passwords::Passwords;
use crate::{
    StoreError,
    entity::{
        TenantOwned,
        given_password::{ActiveModel, Column, Entity},
    },
};

impl Passwords<'_> {
    /// Notes that somebody else has set the password of this user, who is at home here.
    pub async fn note_given(&self, user: UserId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let row = ActiveModel {
            org_id: Set(self.scope.org().get()),
            user_id: Set(user.get()),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let again = OnConflict::columns([Column::OrgId, Column::UserId]).update_column(Column::UpdatedAt).to_owned();
        Entity::insert(row).on_conflict(again).exec_without_returning(self.tx).await?;
        Ok(())
    }

    /// Notes that the user, who is at home here, has set a password that nobody else knows.
    pub async fn note_own(&self, user: UserId) -> Result<(), StoreError> {
        Entity::delete_within(self.scope).filter(Column::UserId.eq(user.get())).exec(self.tx).await?;
        Ok(())
    }

    /// Whether somebody else may know the password of this user, who is at home here.
    pub async fn is_given(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(Entity::within(self.scope).filter(Column::UserId.eq(user.get())).one(self.tx).await?.is_some())
    }
}
