//! The statements that find people: the organization's own users and its members from elsewhere, as one list. Each half
//! is confined by its own table and walks its own index; filters stand inside the halves.

use sea_orm::{
    DbBackend, EntityTrait, ExprTrait, IntoSimpleExpr, JoinType, QueryFilter, QuerySelect, QueryTrait, RelationDef,
    Select,
    sea_query::{Expr, Func, Order, Query, SelectStatement, SimpleExpr, UnionType},
};
use sme_pulse_domain::{ids::UserId, role::Role, status::Status, tenant::TenantScope};

use crate::{
    entity::{TenantOwned, membership, role, user, user_role},
    repo::search::contains,
};

/// What both halves together are called.
const PEOPLE: &str = "people";

/// Which people are asked for; what is `None` does not matter, and a word that does not exist matches nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonFilter {
    /// A part of address or name, in any letter case. No character in it means anything else.
    pub search: Option<String>,
    /// The code of a role held here.
    pub role: Option<String>,
    /// `active` or `inactive`.
    pub status: Option<String>,
}

/// One person, wherever they are at home.
pub(super) fn one(scope: TenantScope, user: UserId) -> SelectStatement {
    let is_asked_for = || user::Column::Id.into_simple_expr().eq(user.get());
    both(home(scope).filter(is_asked_for()), outside(scope).filter(is_asked_for()))
}

/// The active owners who are at home here, but this one.
pub(super) fn home_owners_but(scope: TenantScope, user: UserId) -> SelectStatement {
    let id = || user::Column::Id.into_simple_expr();
    home(scope)
        .filter(user::Column::Status.into_simple_expr().eq("active"))
        .filter(id().ne(user.get()))
        .filter(id().in_subquery(holders(scope, Role::Owner.code())))
        .limit(1)
        .into_query()
}

/// The people who match.
pub(super) struct People(SelectStatement);

impl People {
    pub(super) fn new(scope: TenantScope, filter: &PersonFilter, backend: DbBackend) -> Self {
        let (mut home, mut outside) = (home(scope), outside(scope));
        if let Some(text) = &filter.search {
            let email = || contains(backend, user::Column::Email.into_simple_expr(), text);
            home = home.filter(email().or(contains(backend, user::Column::FullName.into_simple_expr(), text)));
            outside = outside.filter(email().or(contains(backend, while_member(user::Column::FullName), text)));
        }
        if let Some(code) = &filter.role {
            let holds = || user::Column::Id.into_simple_expr().in_subquery(holders(scope, code));
            home = home.filter(holds());
            outside = outside.filter(holds());
        }
        if let Some(word) = &filter.status {
            let account = || user::Column::Status.into_simple_expr().eq(word.as_str());
            let membership = membership::Column::Status.into_simple_expr().eq(word.as_str());
            home = home.filter(account());
            // Whoever is inactive in one place is inactive.
            outside =
                outside.filter(if word == "inactive" { account().or(membership) } else { account().and(membership) });
        }
        Self(both(home, outside))
    }

    pub(super) fn count(&self) -> SelectStatement {
        let mut query = Query::select();
        query.expr_as(Func::count(Expr::val(1)), "total").from_subquery(self.0.clone(), PEOPLE);
        query
    }

    /// The latest first; the key decides between equal times.
    pub(super) fn page(&self, skip: u64, limit: u64) -> SelectStatement {
        let mut query = Query::select();
        query
            .column(sea_orm::sea_query::Asterisk)
            .from_subquery(self.0.clone(), PEOPLE)
            .order_by((PEOPLE, "created_at"), Order::Desc)
            .order_by((PEOPLE, "id"), Order::Desc)
            .offset(skip)
            .limit(limit);
        query
    }
}

fn holders(scope: TenantScope, code: &str) -> SelectStatement {
    let role: RelationDef =
        user_role::Entity::belongs_to(role::Entity).from(user_role::Column::RoleId).to(role::Column::Id).into();
    user_role::Entity::within(scope)
        .select_only()
        .column(user_role::Column::UserId)
        .join(JoinType::InnerJoin, role)
        .filter(role::Column::Code.into_simple_expr().eq(code))
        .into_query()
}

/// The organization's own users.
fn home(scope: TenantScope) -> Select<user::Entity> {
    user::Entity::within(scope)
        .select_only()
        .column(user::Column::Id)
        .column(user::Column::Email)
        .column(user::Column::FullName)
        .column_as(user::Column::Status, "account_status")
        .column(user::Column::CreatedAt)
        .column(user::Column::UpdatedAt)
        .column(user::Column::LastLoginAt)
        .expr_as(Expr::cust("CAST(NULL AS varchar(20))"), "membership_status")
}

/// Something of a member's account that this organization may see while the membership is active; else nothing.
fn while_member(column: user::Column) -> SimpleExpr {
    let is_member = membership::Column::Status.into_simple_expr().eq(Status::Active.as_str());
    Expr::case(is_member, column.into_simple_expr()).into()
}

/// Its members who are at home elsewhere: for them it all began when they joined.
fn outside(scope: TenantScope) -> Select<membership::Entity> {
    let user: RelationDef =
        membership::Entity::belongs_to(user::Entity).from(membership::Column::UserId).to(user::Column::Id).into();
    membership::Entity::within(scope)
        .select_only()
        .join(JoinType::InnerJoin, user)
        .filter(user::Column::OrgId.into_simple_expr().ne(scope.org().get()))
        .column(user::Column::Id)
        .column(user::Column::Email)
        .expr_as(while_member(user::Column::FullName), "full_name")
        .column_as(user::Column::Status, "account_status")
        .column(membership::Column::CreatedAt)
        .column(membership::Column::UpdatedAt)
        .expr_as(while_member(user::Column::LastLoginAt), "last_login_at")
        .column_as(membership::Column::Status, "membership_status")
}

fn both(home: Select<user::Entity>, outside: Select<membership::Entity>) -> SelectStatement {
    let mut home = home.into_query();
    home.union(UnionType::All, outside.into_query());
    home
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
