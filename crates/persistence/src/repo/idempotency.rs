//! Answers kept for repeated requests, one for a key of a user in an organization. An answer is written in the transaction
//! of the change it tells of, so that neither is ever there without the other; while that transaction runs, its key is
//! locked, and a crash lets go of it.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait as _, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement,
};
use sme_pulse_domain::tenant::TenantScope;

use crate::{
    StoreError, TenantTx,
    connection::Transaction,
    entity::{TenantOwned, idempotency_key as row},
};

/// How long an answer is kept.
const KEPT_HOURS: i64 = 24;
/// A row without an answer is of no transaction of ours, which never commits one. For so long it is believed that somebody
/// is still at work.
const RUNNING_MINUTES: i64 = 1;
/// How often, and how far apart, a key is asked for that another transaction has.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(30);

/// A request that names itself by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// What the client chose.
    pub key: String,
    /// The method.
    pub method: String,
    /// The path without a slash at its end.
    pub path: String,
    /// The hash of the body, 64 digits.
    pub body_hash: String,
}

/// An answer that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// What was answered, as the layer that keeps it writes it.
    pub body: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// Nobody has used it: it is the caller's until the transaction ends.
    Free,
    /// This very request was answered before.
    Answered(KeptAnswer),
    /// It stands for another request.
    Taken,
    /// Its first request is still being worked on.
    Running,
}

/// The keys of the transaction's user.
pub struct IdempotencyKeys<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
    user: i64,
}

impl TenantTx {
    /// The keys of the user who acts; `None` when that is the system.
    pub fn idempotency_keys(&self) -> Option<IdempotencyKeys<'_>> {
        let user = self.scope().actor()?.get();
        Some(IdempotencyKeys { tx: self.connection(), scope: self.scope(), user })
    }
}

impl IdempotencyKeys<'_> {
    /// Takes the key for this transaction, or says why not. To be asked before anything is changed.
    pub async fn claim(&self, request: &KeyedRequest, now: DateTime<Utc>) -> Result<KeyState, StoreError> {
        // What is answered needs no lock.
        match self.state(request, now).await? {
            KeyState::Free => {}
            known => return Ok(known),
        }
        if !self.lock(&request.key).await? {
            return Ok(KeyState::Running);
        }
        let state = self.state(request, now).await?;
        if state == KeyState::Free {
            self.remove(&request.key).await?;
        }
        Ok(state)
    }

    async fn state(&self, request: &KeyedRequest, now: DateTime<Utc>) -> Result<KeyState, StoreError> {
        let Some(found) = self.find(&request.key).await? else { return Ok(KeyState::Free) };
        let abandoned = found.created_at.checked_add_signed(Duration::minutes(RUNNING_MINUTES));
        let running = found.status_code.is_none();
        if found.expires_at <= now || (running && abandoned.is_none_or(|at| at <= now)) {
            return Ok(KeyState::Free);
        }
        let same = found.method == request.method
            && found.path == request.path
            && found.request_hash.trim_end() == request.body_hash;
        let Some(status) = found.status_code else { return Ok(KeyState::Running) };
        if !same {
            return Ok(KeyState::Taken);
        }
        let status = u16::try_from(status).map_err(|_| StoreError::Unreadable("status code"))?;
        Ok(KeyState::Answered(KeptAnswer { status, body: found.response_body.unwrap_or_default() }))
    }

    /// Keeps the answer to a request whose key this transaction has claimed.
    pub async fn keep(
        &self,
        request: &KeyedRequest,
        answer: &KeptAnswer,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let expires_at = now.checked_add_signed(Duration::hours(KEPT_HOURS)).unwrap_or(now);
        let kept = row::ActiveModel {
            org_id: Set(self.scope.org().get()),
            user_id: Set(self.user),
            key: Set(request.key.clone()),
            method: Set(request.method.clone()),
            path: Set(request.path.clone()),
            request_hash: Set(request.body_hash.clone()),
            status_code: Set(Some(answer.status.into())),
            response_body: Set(Some(answer.body.clone())),
            expires_at: Set(expires_at),
            created_at: Set(now),
            updated_at: Set(now),
        };
        row::Entity::insert(kept).exec_without_returning(self.tx).await?;
        Ok(())
    }

    /// `false` when another transaction has the key and goes on having it. SQLite has one writer at a time, who has every
    /// key. A transaction that was given up lets go of its locks a moment after its end, hence the second and third look.
    async fn lock(&self, key: &str) -> Result<bool, StoreError> {
        if self.tx.get_database_backend() == DbBackend::Sqlite {
            return Ok(true);
        }
        for _ in 0..LOOKS {
            if self.try_lock(key).await? {
                return Ok(true);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        self.try_lock(key).await
    }

    async fn try_lock(&self, key: &str) -> Result<bool, StoreError> {
        let name = format!("idempotency {} {} {key}", self.scope.org(), self.user);
        let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into()]);
        let answer = self.tx.query_one_raw(statement).await?.ok_or(StoreError::Unreadable("lock"))?;
        Ok(answer.try_get_by_index(0)?)
    }

    async fn find(&self, key: &str) -> Result<Option<row::Model>, StoreError> {
        let mine =
            row::Entity::within(self.scope).filter(row::Column::UserId.eq(self.user)).filter(row::Column::Key.eq(key));
        Ok(mine.limit(1).one(self.tx).await?)
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        row::Entity::delete_within(self.scope)
            .filter(row::Column::UserId.eq(self.user))
            .filter(row::Column::Key.eq(key))
            .exec(self.tx)
            .await?;
        Ok(())
    }
}
