//! Sessions of an organization's users, and what a log-in writes.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect, Select, UpdateMany,
    sea_query::{Expr, LockType},
};
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    session::{EndReason, Session},
    tenant::TenantScope,
};

use crate::{
    StoreError, TenantTx,
    column::StoredUuid,
    connection::Transaction,
    entity::{TenantOwned, session, user},
};

/// Sessions inside a transaction.
pub struct Sessions<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

/// What a successful log-in changes at its user.
pub struct LogInRecord {
    /// Who signed in.
    pub user: UserId,
    /// When.
    pub at: DateTime<Utc>,
    /// Which password it was made with.
    pub password: PasswordAsOf,
    /// The password's new hash, when the stored one was outdated.
    pub renewed: Option<RenewedHash>,
}

/// What must still hold of a user's password, or a log-in made with it does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordAsOf {
    /// It was last changed at exactly this instant, or never.
    Exactly(Option<DateTime<Utc>>),
    /// It was not changed after this instant.
    NotAfter(DateTime<Utc>),
}

/// A hash of the same password at today's cost. There is no `Debug`: hashes are not for logs.
#[derive(Clone)]
pub struct RenewedHash {
    /// The one that the password was compared with.
    pub old: String,
    /// The one to store in its place.
    pub new: String,
}

/// How many sessions were ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedSessions {
    /// For the organization that asked. No more is its matter, nor its audit trail's.
    pub here: u64,
    /// For others.
    pub elsewhere: u64,
}

impl EndedSessions {
    /// All, for the person whose they were.
    pub const fn all(self) -> u64 {
        self.here.saturating_add(self.elsewhere)
    }
}

impl TenantTx {
    /// The sessions of this organization.
    pub const fn sessions(&self) -> Sessions<'_> {
        Sessions { tx: self.connection(), scope: self.scope() }
    }
}

impl Sessions<'_> {
    /// Opens a session.
    pub async fn open(&self, session: &Session) -> Result<(), StoreError> {
        session::ActiveModel {
            id: Set(StoredUuid(session.id.get())),
            user_id: Set(session.user.get()),
            org_id: Set(self.scope.org().get()),
            expires_at: Set(session.expires_at),
            last_seen_at: Set(session.last_seen_at),
            refresh_counter: Set(0),
            revoked_at: Set(None),
            revoke_reason: Set(None),
            client_ip: Set(session.client_ip.clone()),
            user_agent: Set(session.user_agent.clone()),
            authenticated_at: Set(Some(session.authenticated_at)),
            amr: Set(Some(session.methods.to_string())),
            created_at: Set(session.created_at),
            updated_at: Set(session.created_at),
        }
        .insert(self.tx)
        .await?;
        Ok(())
    }

    /// A user's live sessions for whatever organization, newest first.
    pub async fn live_of(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError> {
        let rows = sessions_of(user)
            .filter(session::Column::RevokedAt.into_simple_expr().is_null())
            .filter(session::Column::ExpiresAt.into_simple_expr().gt(now))
            .order_by_desc(session::Column::CreatedAt)
            .order_by_desc(session::Column::Id)
            .all(self.tx)
            .await?;
        Ok(rows.into_iter().map(to_domain).collect())
    }

    /// Ends a session of this user; `false` when it is not there, is somebody else's or had ended before.
    pub async fn end(
        &self,
        (id, user): (SessionId, UserId),
        reason: EndReason,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let one = session::Column::Id.into_simple_expr().eq(StoredUuid(id.get()));
        let done = Self::ending(user, reason, now).filter(one).exec(self.tx).await?;
        Ok(done.rows_affected > 0)
    }

    /// Ends all live sessions of this user but one, for whatever organization; how many there were.
    pub async fn end_all_but(
        &self,
        (kept, user): (Option<SessionId>, UserId),
        reason: EndReason,
        now: DateTime<Utc>,
    ) -> Result<EndedSessions, StoreError> {
        let ending = || {
            let is_kept = kept.map(|kept| session::Column::Id.into_simple_expr().eq(StoredUuid(kept.get())));
            is_kept.into_iter().fold(Self::ending(user, reason, now), |ending, is_kept| ending.filter(is_kept.not()))
        };
        let here = session::Column::OrgId.into_simple_expr().eq(self.scope.org().get());
        let here = ending().filter(here).exec(self.tx).await?.rows_affected;
        let elsewhere = ending().exec(self.tx).await?.rows_affected;
        Ok(EndedSessions { here, elsewhere })
    }

    /// Ends all live sessions that this user has for this organization alone; how many there were.
    pub async fn end_all_here(&self, user: UserId, reason: EndReason, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let here = session::Column::OrgId.into_simple_expr().eq(self.scope.org().get());
        Ok(Self::ending(user, reason, now).filter(here).exec(self.tx).await?.rows_affected)
    }

    /// Makes what changes several sessions of one user queue up, until the transaction ends. Take this lock first.
    pub async fn lock_owner(&self, user: UserId) -> Result<(), StoreError> {
        let row = user::Entity::within(self.scope).filter(user::Column::Id.into_simple_expr().eq(user.get()));
        row.lock(LockType::NoKeyUpdate).one(self.tx).await?;
        Ok(())
    }

    /// Whether a session of this user lives.
    pub async fn is_live(&self, (id, user): (SessionId, UserId), now: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(self.find_live((id, user), now).await?.is_some())
    }

    /// A live session of this user.
    pub async fn find_live(
        &self,
        (id, user): (SessionId, UserId),
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, StoreError> {
        let row = sessions_of(user)
            .filter(session::Column::Id.into_simple_expr().eq(StoredUuid(id.get())))
            .filter(session::Column::RevokedAt.into_simple_expr().is_null())
            .filter(session::Column::ExpiresAt.into_simple_expr().gt(now));
        Ok(row.one(self.tx).await?.map(to_domain))
    }

    /// Marks the live sessions of this user as ended.
    fn ending(user: UserId, reason: EndReason, now: DateTime<Utc>) -> UpdateMany<session::Entity> {
        update_of(user)
            .set(session::ActiveModel {
                revoked_at: Set(Some(now)),
                revoke_reason: Set(Some(reason.as_str().to_owned())),
                updated_at: Set(now),
                ..Default::default()
            })
            .filter(session::Column::RevokedAt.into_simple_expr().is_null())
            .filter(session::Column::ExpiresAt.into_simple_expr().gt(now))
    }

    /// Notes that the holder of a live session of this user has just proved who they are, and how; `None` when it is not
    /// there or has ended.
    pub async fn prove(
        &self,
        (id, user): (SessionId, UserId),
        methods: Methods,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, StoreError> {
        let rows = update_of(user)
            .set(session::ActiveModel {
                authenticated_at: Set(Some(now)),
                amr: Set(Some(methods.to_string())),
                updated_at: Set(now),
                ..Default::default()
            })
            .filter(session::Column::Id.into_simple_expr().eq(StoredUuid(id.get())))
            .filter(session::Column::RevokedAt.into_simple_expr().is_null())
            .filter(session::Column::ExpiresAt.into_simple_expr().gt(now))
            .exec_with_returning(self.tx)
            .await?;
        Ok(rows.into_iter().next().map(to_domain))
    }

    /// Notes a log-in at its user; `false` when the password has been changed since it was compared, so that a log-in with
    /// the old one opens no session that the change did not see.
    pub async fn record_log_in(&self, record: LogInRecord) -> Result<bool, StoreError> {
        let changes =
            user::ActiveModel { last_login_at: Set(Some(record.at)), updated_at: Set(record.at), ..Default::default() };
        let update = user::Entity::update_within(self.scope)
            .set(changes)
            .filter(user::Column::Id.into_simple_expr().eq(record.user.get()))
            .filter(unchanged(record.password));
        if update.exec(self.tx).await?.rows_affected == 0 {
            return Ok(false);
        }
        if let Some(renewed) = record.renewed {
            self.renew_hash(record.user, renewed).await?;
        }
        Ok(true)
    }

    /// Whether that still holds of a user's password. Until the transaction ends nobody can change it.
    pub async fn lock_password(&self, user: UserId, password: PasswordAsOf) -> Result<bool, StoreError> {
        let row = user::Entity::within(self.scope)
            .filter(user::Column::Id.into_simple_expr().eq(user.get()))
            .filter(unchanged(password))
            .lock(LockType::NoKeyUpdate);
        Ok(row.one(self.tx).await?.is_some())
    }

    /// Stores a hash of the same password in place of an outdated one, unless that was replaced since it was compared.
    pub async fn renew_hash(&self, user: UserId, renewed: RenewedHash) -> Result<(), StoreError> {
        user::Entity::update_within(self.scope)
            .set(user::ActiveModel { password_hash: Set(renewed.new), ..Default::default() })
            .filter(user::Column::Id.into_simple_expr().eq(user.get()))
            .filter(user::Column::PasswordHash.into_simple_expr().eq(renewed.old))
            .exec(self.tx)
            .await?;
        Ok(())
    }
}

/// A person's sessions are theirs, in whatever organization: log-outs and new passwords end them all.
#[expect(clippy::disallowed_methods, reason = "confined to one person, who asks for it or whose account is concerned")]
fn sessions_of(user: UserId) -> Select<session::Entity> {
    session::Entity::find().filter(session::Column::UserId.into_simple_expr().eq(user.get()))
}

/// As [`sessions_of`], for changes.
#[expect(clippy::disallowed_methods, reason = "confined to one person, who asks for it or whose account is concerned")]
fn update_of(user: UserId) -> UpdateMany<session::Entity> {
    session::Entity::update_many().filter(session::Column::UserId.into_simple_expr().eq(user.get()))
}

fn unchanged(password: PasswordAsOf) -> Expr {
    let changed_at = user::Column::PasswordChangedAt.into_simple_expr();
    match password {
        PasswordAsOf::Exactly(Some(at)) => changed_at.eq(at),
        PasswordAsOf::Exactly(None) => changed_at.is_null(),
        PasswordAsOf::NotAfter(at) => changed_at.clone().is_null().or(changed_at.lte(at)),
    }
}

fn to_domain(row: session::Model) -> Session {
    Session {
        id: SessionId::new(row.id.0),
        user: UserId::new(row.user_id),
        org: OrgId::new(row.org_id),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_seen_at: row.last_seen_at,
        client_ip: row.client_ip,
        user_agent: row.user_agent,
        revoked_at: row.revoked_at,
        authenticated_at: row.authenticated_at.unwrap_or(row.created_at),
        methods: row.amr.as_deref().map_or(Methods::PASSWORD, Methods::stored),
    }
}
