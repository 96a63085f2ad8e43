//! What a refresh reads and writes when `rotate.rs` did not do it in one: one read of the session with its user as they are
//! now, one conditional update. No tenant is known before the read, and the update is a statement of its own, so that it needs no transaction.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, EntityTrait, ExprTrait, FromQueryResult, IntoSimpleExpr, QueryFilter, QuerySelect,
    prelude::DateTimeUtc, sea_query::Expr,
};
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    role::RoleSet,
    session::Session,
    status::Status,
    user::User,
};

use super::{
    exception,
    identity::{Found, Row, users_with_roles},
};
use crate::{Store, StoreError, column::StoredUuid, entity::session};

/// A session and whose it is, as the database has them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshRow {
    /// The session.
    pub session: Session,
    /// The number of its newest refresh token.
    pub counter: i64,
    /// The user.
    pub user: User,
    /// Whether the session's organization is active.
    pub org_status: Status,
    /// Whether the user still belongs to it.
    pub is_member: bool,
    /// The roles held in it.
    pub roles: RoleSet,
}

/// The step from one refresh token to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The session.
    pub session: SessionId,
    /// The number of the token that is used up.
    pub from: i64,
    /// The number of the token that takes its place.
    pub to: i64,
    /// When the session ends by itself from now on.
    pub expires_at: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Store {
    /// The session that a genuine refresh token names: one read.
    pub async fn session_for_refresh(&self, id: SessionId) -> Result<Option<RefreshRow>, StoreError> {
        let rows = self.refresh_rows(id).await?;
        let (mut of_user, mut of_session) = (Vec::with_capacity(rows.len()), None);
        for SessionRow { row, session } in rows {
            of_user.push(row);
            of_session = Some(session);
        }
        let (Some(found), Some(columns)) = (Found::from_rows(of_user)?, of_session) else { return Ok(None) };
        let counter = columns.refresh_counter;
        let session = columns.into_session(id, found.user.id);
        let Found { user, org_status, is_member, roles, .. } = found;
        Ok(Some(RefreshRow { session, counter, user, org_status, is_member, roles }))
    }

    async fn refresh_rows(&self, id: SessionId) -> Result<Vec<SessionRow>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.find_refresh($1)";
        if let Some(call) = exception::call(self.pool(), FUNCTION, [StoredUuid(id.get()).into()]) {
            return exception::rows(self.pool(), call).await;
        }
        let rows = users_with_roles(Some(id))
            .filter(Expr::col((session::Entity, session::Column::Id)).eq(StoredUuid(id.get())))
            .column_as(session::Column::OrgId, "session_org")
            .column_as(session::Column::RefreshCounter, "refresh_counter")
            .column_as(session::Column::CreatedAt, "opened_at")
            .column_as(session::Column::ExpiresAt, "expires_at")
            .column_as(session::Column::LastSeenAt, "last_seen_at")
            .column_as(session::Column::RevokedAt, "revoked_at")
            .column_as(session::Column::ClientIp, "client_ip")
            .column_as(session::Column::UserAgent, "user_agent")
            .column_as(session::Column::AuthenticatedAt, "authenticated_at")
            .column_as(session::Column::Amr, "amr")
            .into_model::<SessionRow>()
            .all(self.pool())
            .await?;
        Ok(rows)
    }

    /// Puts the next refresh token in the place of the newest; `false` when that is not the newest any more, or the
    /// session has ended.
    #[expect(clippy::disallowed_methods, reason = "the session is named by a genuine token, and found by its key")]
    pub async fn rotate_refresh(&self, rotation: Rotation) -> Result<bool, StoreError> {
        const FUNCTION: &str = "SELECT auth.rotate_refresh($1, $2, $3, $4, $5)";
        let Rotation { session, from, to, expires_at, at } = rotation;
        let values = [StoredUuid(session.get()).into(), from.into(), to.into(), expires_at.into(), at.into()];
        if let Some(call) = exception::call(self.pool(), FUNCTION, values) {
            return Ok(exception::changed(self.pool(), call).await? > 0);
        }
        let done = session::Entity::update_many()
            .set(session::ActiveModel {
                refresh_counter: Set(rotation.to),
                expires_at: Set(rotation.expires_at),
                last_seen_at: Set(Some(rotation.at)),
                updated_at: Set(rotation.at),
                ..Default::default()
            })
            .filter(session::Column::Id.into_simple_expr().eq(StoredUuid(rotation.session.get())))
            .filter(session::Column::RefreshCounter.into_simple_expr().eq(rotation.from))
            .filter(session::Column::RevokedAt.into_simple_expr().is_null())
            .filter(session::Column::ExpiresAt.into_simple_expr().gt(rotation.at))
            .exec(self.pool())
            .await?;
        Ok(done.rows_affected > 0)
    }
}

#[derive(FromQueryResult)]
struct SessionRow {
    #[sea_orm(nested)]
    row: Row,
    #[sea_orm(nested)]
    session: SessionColumns,
}

#[derive(FromQueryResult)]
struct SessionColumns {
    session_org: i64,
    refresh_counter: i64,
    opened_at: DateTimeUtc,
    expires_at: DateTimeUtc,
    last_seen_at: Option<DateTimeUtc>,
    revoked_at: Option<DateTimeUtc>,
    client_ip: Option<String>,
    user_agent: Option<String>,
    authenticated_at: Option<DateTimeUtc>,
    amr: Option<String>,
}

impl SessionColumns {
    fn into_session(self, id: SessionId, user: UserId) -> Session {
        Session {
            id,
            user,
            org: OrgId::new(self.session_org),
            created_at: self.opened_at,
            expires_at: self.expires_at,
            last_seen_at: self.last_seen_at,
            client_ip: self.client_ip,
            user_agent: self.user_agent,
            revoked_at: self.revoked_at,
            authenticated_at: self.authenticated_at.unwrap_or(self.opened_at),
            methods: self.amr.as_deref().map_or(Methods::PASSWORD, Methods::stored),
        }
    }
}
