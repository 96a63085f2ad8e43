//! Work that every replica would do now and then and one is enough for.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::{Engine, Store, StoreError};

/// Something that one replica does at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chore {
    /// Removing rows that have had their time.
    RemoveExpired,
    /// Signing the heads of the audit trail.
    SignCheckpoints,
}

/// How long PostgreSQL keeps the lock for a connection that says nothing.
const LONGEST_SILENCE: &str = "15min";

impl Chore {
    /// The key of its advisory lock (an arbitrary constant, and one more for each).
    const fn lock_key(self) -> i64 {
        const FIRST: i64 = 6_002_530_089_634_716_000;
        match self {
            Self::RemoveExpired => FIRST,
            Self::SignCheckpoints => FIRST + 1,
        }
    }
}

impl Store {
    /// Does a chore unless another replica is doing it right now: then `None`, without waiting. An embedded database has one
    /// server, and its writers wait for each other anyway.
    ///
    /// The lock ends with its connection, so a replica that dies in the middle keeps nobody from going on, and one whose
    /// connection has gone silent for a quarter of an hour at the most. Should the connection alone be lost, a second one may
    /// begin meanwhile: a chore must bear that.
    pub async fn alone<T, E: From<StoreError>>(
        &self,
        chore: Chore,
        work: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        if self.engine() == Engine::Sqlite {
            return work().await.map(Some);
        }
        // Between its statements it holds no snapshot, so the work is not kept from seeing what it does.
        let lock = self.begin_system().await?;
        // The server ends a transaction whose other end is gone without a word, for which TCP alone would take hours.
        let sql = "SELECT pg_try_advisory_xact_lock($1), set_config('idle_in_transaction_session_timeout', $2, true)";
        let values = [chore.lock_key().into(), LONGEST_SILENCE.into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let answer = lock.connection().query_one_raw(statement).await.map_err(StoreError::from)?;
        let taken: bool =
            answer.ok_or(StoreError::Unreadable("lock"))?.try_get_by_index(0).map_err(StoreError::from)?;
        if !taken {
            return Ok(None);
        }
        let done = work().await;
        // Dropped, it would be given back some time later. If this fails the connection is gone, and the lock with it.
        let _ = lock.commit().await;
        done.map(Some)
    }
}
