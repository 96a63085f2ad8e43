//! Who holds which role in an organization.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, EntityTrait, ExprTrait, FromQueryResult, IntoSimpleExpr, JoinType, QueryFilter, QuerySelect,
    RelationDef,
};
use sme_pulse_domain::{
    ids::UserId,
    role::{Role, RoleSet},
    tenant::TenantScope,
};

use crate::{
    StoreError,
    connection::Transaction,
    entity::{TenantOwned, role, user_role},
};

#[derive(FromQueryResult)]
struct Held {
    user_id: i64,
    code: String,
}

/// The roles that these users hold here. A role this binary does not know (written by a newer one) grants nothing.
pub(super) async fn of(
    tx: &Transaction,
    scope: TenantScope,
    users: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, RoleSet>, StoreError> {
    let users: Vec<i64> = users.collect();
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let role: RelationDef =
        user_role::Entity::belongs_to(role::Entity).from(user_role::Column::RoleId).to(role::Column::Id).into();
    let rows = user_role::Entity::within(scope)
        .filter(user_role::Column::UserId.into_simple_expr().is_in(users))
        .select_only()
        .column(user_role::Column::UserId)
        .join(JoinType::InnerJoin, role)
        .column(role::Column::Code)
        .into_model::<Held>()
        .all(tx)
        .await?;
    let mut held: HashMap<i64, Vec<Role>> = HashMap::new();
    for row in rows {
        held.entry(row.user_id).or_default().extend(row.code.parse::<Role>().ok());
    }
    Ok(held.into_iter().map(|(user, roles)| (user, roles.into_iter().collect())).collect())
}

/// Makes the roles of a user exactly these; rows of roles that stay are left as they are.
pub(super) async fn set(
    tx: &Transaction,
    (user, scope): (UserId, TenantScope),
    wanted: &RoleSet,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let wanted = ids(tx, wanted).await?;
    let of_user = || user_role::Column::UserId.into_simple_expr().eq(user.get());
    let role_id = || user_role::Column::RoleId.into_simple_expr();
    user_role::Entity::delete_within(scope)
        .filter(of_user())
        .filter(role_id().is_not_in(wanted.iter().copied()))
        .exec(tx)
        .await?;
    let kept = user_role::Entity::within(scope).filter(of_user()).all(tx).await?;
    let missing = wanted.into_iter().filter(|id| kept.iter().all(|row| row.role_id != *id));
    let rows: Vec<_> = missing
        .map(|id| user_role::ActiveModel {
            user_id: Set(user.get()),
            org_id: Set(scope.org().get()),
            role_id: Set(id),
            created_at: Set(now),
            updated_at: Set(now),
        })
        .collect();
    if !rows.is_empty() {
        user_role::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The keys of roles. One that is missing (no seeds, no sign-up yet) is a fault, never a user without it.
#[expect(clippy::disallowed_methods, reason = "roles belong to no tenant")]
async fn ids(tx: &Transaction, roles: &RoleSet) -> Result<Vec<i64>, StoreError> {
    let codes: Vec<&str> = roles.iter().map(Role::code).collect();
    let rows = role::Entity::find().filter(role::Column::Code.into_simple_expr().is_in(codes)).all(tx).await?;
    if rows.len() != roles.iter().count() {
        return Err(StoreError::Unreadable("role"));
    }
    Ok(rows.into_iter().map(|row| row.id).collect())
}
