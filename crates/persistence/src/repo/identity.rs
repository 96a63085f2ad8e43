//! The look-ups that come before a tenant is known: by log-in name, and by the subject of a verified token. What else no
//! scope confines stands in few methods of `Store`, each in the file of its table, each by a unique key: the session of a
//! refresh token (`refresh.rs`, `rotate.rs`), a half log-in (`challenges.rs`), a reset link (`passwords.rs`), an invitation's
//! link (`invitations.rs`), the organizations of one person (`places.rs`), a taken tax code and what waits to become an
//! organization (`sign_ups.rs`), a key for programs (`api_keys.rs`, `service_accounts.rs`), counters that belong to no tenant (`guesses.rs`), and the removal of what has expired
//! (`expired.rs`). On PostgreSQL all that concerns tenants' rows are functions of the database (`exception.rs`): row-level
//! security lets nothing else through.

use chrono::{DateTime, Utc};
use sea_orm::{
    EntityTrait, ExprTrait, FromQueryResult, IntoSimpleExpr, JoinType, QueryFilter, QuerySelect, RelationDef, Select,
    prelude::DateTimeUtc,
    sea_query::{Expr, Func},
};
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    role::RoleSet,
    status::Status,
    user::{Account, User},
};

use super::exception;
use crate::{
    Store, StoreError,
    column::StoredUuid,
    entity::{membership, mfa_factor, organization, role, session, user, user_role},
};

/// The caller behind a token, as the database knows them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalRow {
    /// The user.
    pub user: User,
    /// The organization the session is for, or the home organization without one.
    pub org: OrgId,
    /// Whether that organization is active.
    pub org_status: Status,
    /// Whether the user belongs to it: at home always, elsewhere while the membership is active.
    pub is_member: bool,
    /// The roles held in it.
    pub roles: RoleSet,
    /// The session asked for, if it exists and is this user's.
    pub session: Option<SessionState>,
}

/// What decides whether a session is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionState {
    /// The organization it was opened for.
    pub org: OrgId,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Set once it has been ended.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When its holder last proved who they are.
    pub authenticated_at: DateTime<Utc>,
    /// How they did.
    pub methods: Methods,
}

impl Store {
    /// The account with this address, in whatever organization it is.
    pub async fn account_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let rows = self.account_rows(email).await?;
        let Some(found) = Found::from_rows(rows)? else { return Ok(None) };
        let password_hash = found.password_hash.unwrap_or_default();
        Ok(Some(Account {
            user: found.user,
            password_hash,
            password_changed_at: found.password_changed_at,
            org_status: found.org_status,
            roles: found.roles,
            has_factor: found.has_factor,
        }))
    }

    async fn account_rows(&self, email: &Email) -> Result<Vec<Row>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.find_account($1)";
        if let Some(call) = exception::call(self.pool(), FUNCTION, [email.as_str().into()]) {
            return exception::rows(self.pool(), call).await;
        }
        let query = users_with_roles(None).filter(user::Column::Email.into_simple_expr().eq(email.as_str()));
        let factor: RelationDef =
            user::Entity::belongs_to(mfa_factor::Entity).from(user::Column::Id).to(mfa_factor::Column::UserId).into();
        let query = query
            .join(JoinType::LeftJoin, factor)
            .column(user::Column::PasswordHash)
            .column(user::Column::PasswordChangedAt)
            .column_as(mfa_factor::Column::ConfirmedAt, "factor_confirmed_at");
        Ok(query.into_model::<Row>().all(self.pool()).await?)
    }

    /// The user with this id and, if asked for, their session: one read.
    pub async fn principal(
        &self,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<Option<PrincipalRow>, StoreError> {
        self.count_principal_read();
        let rows = self.principal_rows(user, session).await?;
        Ok(Found::from_rows(rows)?.map(PrincipalRow::from))
    }

    async fn principal_rows(&self, user: UserId, session: Option<SessionId>) -> Result<Vec<Row>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.find_principal($1, $2)";
        let named = session.map(|id| StoredUuid(id.get()));
        if let Some(call) = exception::call(self.pool(), FUNCTION, [user.get().into(), named.into()]) {
            return exception::rows(self.pool(), call).await;
        }
        let mut query = users_with_roles(session).filter(user::Column::Id.into_simple_expr().eq(user.get()));
        if session.is_some() {
            query = query
                .column_as(session::Column::OrgId, "session_org_id")
                .column_as(session::Column::ExpiresAt, "session_expires_at")
                .column_as(session::Column::RevokedAt, "session_revoked_at")
                .column_as(session::Column::CreatedAt, "session_created_at")
                .column_as(session::Column::AuthenticatedAt, "session_authenticated_at")
                .column_as(session::Column::Amr, "session_amr");
        }
        Ok(query.into_model::<Row>().all(self.pool()).await?)
    }
}

/// Users with organization, roles and membership: of the session's organization if one is named, else of their own.
/// One row a role; who holds none has one row. A session is found only if it is the user's own: a token that names
/// somebody else's finds none.
#[expect(clippy::disallowed_methods, reason = "the tenant is what is being looked up; every caller filters by a key")]
pub(super) fn users_with_roles(session: Option<SessionId>) -> Select<user::Entity> {
    let mut users = user::Entity::find().select_only().columns([
        user::Column::Id,
        user::Column::OrgId,
        user::Column::Email,
        user::Column::FullName,
        user::Column::Status,
        user::Column::LastLoginAt,
    ]);
    let query = QuerySelect::query(&mut users);
    let user = || Expr::col((user::Entity, user::Column::Id));
    let home = || Expr::col((user::Entity, user::Column::OrgId));
    let mut org = home();
    if let Some(id) = session {
        let is_own = Expr::col((session::Entity, session::Column::UserId)).eq(user());
        let is_named = Expr::col((session::Entity, session::Column::Id)).eq(StoredUuid(id.get()));
        query.left_join(session::Entity, is_own.and(is_named));
        org = Func::coalesce([Expr::col((session::Entity, session::Column::OrgId)), home()]).into();
    }
    let held_by = Expr::col((user_role::Entity, user_role::Column::UserId)).eq(user());
    let held_in = Expr::col((user_role::Entity, user_role::Column::OrgId)).eq(org.clone());
    let member = Expr::col((membership::Entity, membership::Column::UserId)).eq(user());
    let member_of = Expr::col((membership::Entity, membership::Column::OrgId)).eq(org.clone());
    let role_held = Expr::col((user_role::Entity, user_role::Column::RoleId)).equals((role::Entity, role::Column::Id));
    query
        .inner_join(organization::Entity, Expr::col((organization::Entity, organization::Column::Id)).eq(org))
        .left_join(user_role::Entity, held_by.and(held_in))
        .left_join(role::Entity, role_held)
        .left_join(membership::Entity, member.and(member_of));
    users
        .column_as(organization::Column::Id, "in_org_id")
        .column_as(organization::Column::Status, "org_status")
        .column_as(membership::Column::Status, "membership_status")
        .column_as(role::Column::Code, "role_code")
}

#[derive(FromQueryResult)]
pub(super) struct Row {
    id: i64,
    org_id: i64,
    email: String,
    full_name: Option<String>,
    status: String,
    last_login_at: Option<DateTimeUtc>,
    in_org_id: i64,
    org_status: String,
    membership_status: Option<String>,
    role_code: Option<String>,
    password_hash: Option<String>,
    password_changed_at: Option<DateTimeUtc>,
    session_org_id: Option<i64>,
    session_expires_at: Option<DateTimeUtc>,
    session_revoked_at: Option<DateTimeUtc>,
    session_created_at: Option<DateTimeUtc>,
    session_authenticated_at: Option<DateTimeUtc>,
    session_amr: Option<String>,
    factor_confirmed_at: Option<DateTimeUtc>,
}

impl Row {
    /// Sessions from before these columns began with a password, when they were opened.
    fn session(&self) -> Option<SessionState> {
        Some(SessionState {
            org: OrgId::new(self.session_org_id?),
            expires_at: self.session_expires_at?,
            revoked_at: self.session_revoked_at,
            authenticated_at: self.session_authenticated_at.or(self.session_created_at)?,
            methods: self.session_amr.as_deref().map_or(Methods::PASSWORD, Methods::stored),
        })
    }
}

pub(super) struct Found {
    pub(super) user: User,
    pub(super) org: OrgId,
    pub(super) org_status: Status,
    pub(super) is_member: bool,
    pub(super) roles: RoleSet,
    password_hash: Option<String>,
    password_changed_at: Option<DateTime<Utc>>,
    session: Option<SessionState>,
    has_factor: bool,
}

impl From<Found> for PrincipalRow {
    fn from(found: Found) -> Self {
        let Found { user, org, org_status, is_member, roles, session, .. } = found;
        Self { user, org, org_status, is_member, roles, session }
    }
}

impl Found {
    pub(super) fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, StoreError> {
        // A role this binary does not know (written by a newer one) grants nothing.
        let roles = rows.iter().filter_map(|row| row.role_code.as_deref()?.parse().ok()).collect();
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let session = row.session();
        let is_active = |status: &str| status.parse().is_ok_and(Status::is_active);
        let is_member = row.in_org_id == row.org_id || row.membership_status.as_deref().is_some_and(is_active);
        Ok(Some(Self {
            org: OrgId::new(row.in_org_id),
            is_member,
            user: User {
                id: UserId::new(row.id),
                org: OrgId::new(row.org_id),
                email: Email::stored(row.email),
                full_name: row.full_name,
                status: row.status.parse().map_err(|_| StoreError::Unreadable("status"))?,
                last_login_at: row.last_login_at,
            },
            org_status: row.org_status.parse().map_err(|_| StoreError::Unreadable("status"))?,
            roles,
            password_hash: row.password_hash,
            password_changed_at: row.password_changed_at,
            session,
            has_factor: row.factor_confirmed_at.is_some(),
        }))
    }
}
