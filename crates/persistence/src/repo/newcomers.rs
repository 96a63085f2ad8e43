//! Those who come into an organization from elsewhere, and those who let them in.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, sea_query::OnConflict,
};
use sme_pulse_domain::{
    ids::UserId,
    role::{Role, RoleSet},
    status::Status,
    tenant::TenantScope,
};

use crate::{
    StoreError, TenantTx,
    connection::Transaction,
    entity::{TenantOwned, membership, user},
};

/// The people of the transaction's organization, as far as joining it goes.
pub struct Newcomers<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

/// Who may act here: an active user, at home here or an active member, of an active organization. One row a role; who holds
/// none has one row.
const ROLES_HERE: &str = "SELECT r.code FROM users AS u \
    JOIN organizations AS o ON o.id = $1 AND o.status = 'active' \
    LEFT JOIN memberships AS m ON m.org_id = $1 AND m.user_id = u.id \
    LEFT JOIN user_roles AS h ON h.org_id = $1 AND h.user_id = u.id LEFT JOIN roles AS r ON r.id = h.role_id \
    WHERE u.id = $2 AND u.status = 'active' AND (u.org_id = $1 OR m.status = 'active')";

impl TenantTx {
    /// Those who join this organization.
    pub const fn newcomers(&self) -> Newcomers<'_> {
        Newcomers { tx: self.connection(), scope: self.scope() }
    }
}

impl Newcomers<'_> {
    /// The roles that somebody holds here now; `None` for who may not act here, or when nobody may.
    pub async fn roles_of(&self, user: UserId) -> Result<Option<RoleSet>, StoreError> {
        let values = [self.scope.org().get().into(), user.get().into()];
        let statement = Statement::from_sql_and_values(self.tx.get_database_backend(), ROLES_HERE, values);
        let rows = self.tx.query_all_raw(statement).await?;
        let mut roles = Vec::with_capacity(rows.len());
        for row in &rows {
            let code: Option<String> = row.try_get_by_index(0)?;
            roles.extend(code.and_then(|code| code.parse::<Role>().ok()));
        }
        Ok((!rows.is_empty()).then(|| roles.into_iter().collect()))
    }

    /// Whether somebody belongs here already: at home, active or not, or as an active member.
    pub async fn belongs(&self, user: UserId) -> Result<bool, StoreError> {
        let at_home = user::Entity::within(self.scope).filter(user::Column::Id.eq(user.get()));
        if at_home.one(self.tx).await?.is_some() {
            return Ok(true);
        }
        let member = membership::Entity::within(self.scope)
            .filter(membership::Column::UserId.eq(user.get()))
            .filter(membership::Column::Status.eq(Status::Active.as_str()));
        Ok(member.one(self.tx).await?.is_some())
    }

    /// Makes somebody from elsewhere a member from now on, also one who was before.
    pub async fn join(&self, user: UserId, now: DateTime<Utc>) -> Result<(), StoreError> {
        use membership::Column::{CreatedAt, OrgId, Status as State, UpdatedAt, UserId as Who};
        let row = membership::ActiveModel {
            org_id: Set(self.scope.org().get()),
            user_id: Set(user.get()),
            status: Set(Status::Active.as_str().to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let again = OnConflict::columns([OrgId, Who]).update_columns([State, CreatedAt, UpdatedAt]).to_owned();
        membership::Entity::insert(row).on_conflict(again).exec_without_returning(self.tx).await?;
        Ok(())
    }
}
