//! Changes of a person's row: of the account for those who are at home here, of the membership for the others.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ExprTrait, IntoSimpleExpr, QueryFilter};
use sme_pulse_domain::person::Person;

use super::People;
use crate::{
    StoreError,
    entity::{TenantOwned, membership, user},
};

impl People<'_> {
    /// Writes name and status of somebody who is at home here, and the status of the membership of anybody else. Roles
    /// are [`Self::set_roles`]'.
    pub async fn save(&self, person: &Person, now: DateTime<Utc>) -> Result<(), StoreError> {
        match person.membership {
            None => {
                let changes = user::ActiveModel {
                    full_name: Set(person.full_name.clone()),
                    status: Set(person.account.as_str().to_owned()),
                    updated_at: Set(now),
                    ..Default::default()
                };
                let update = user::Entity::update_within(self.scope).set(changes);
                update.filter(user::Column::Id.into_simple_expr().eq(person.id.get())).exec(self.tx).await?;
            }
            Some(status) => {
                let changes = membership::ActiveModel {
                    status: Set(status.as_str().to_owned()),
                    updated_at: Set(now),
                    ..Default::default()
                };
                let update = membership::Entity::update_within(self.scope).set(changes);
                let of_user = membership::Column::UserId.into_simple_expr().eq(person.id.get());
                update.filter(of_user).exec(self.tx).await?;
            }
        }
        Ok(())
    }
}
