//! The connection every statement goes through. It brings bound values to the one form each engine stores:
//! timestamps in UTC, cut to microseconds; on SQLite as text that sorts, and UUIDs as text instead of blobs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    SqlxError, Statement, Value,
};
use sme_pulse_domain::clock::to_micros;
use tracing::Span;

/// The stored text of a timestamp on SQLite: fixed width, so that it sorts and compares as text.
const SQLITE_TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.6f";

/// A pool or a transaction behind the value conversion.
pub(crate) struct Normalised<C>(
    pub(crate) C,
    pub(crate) Faults,
    #[expect(dead_code, reason = "its life is what it tells")] Span,
);

impl<C> Normalised<C> {
    /// Over a pool or a transaction, whose time the span tells: it ends with it.
    pub(crate) const fn new(inner: C, faults: Faults, span: Span) -> Self {
        Self(inner, faults, span)
    }
}

/// How often there was no connection, or it was lost. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<FaultCounts>);

#[derive(Debug, Default)]
struct FaultCounts {
    refused: AtomicU64,
    lost: AtomicU64,
}

impl Faults {
    /// Counts an outcome, and hands it on.
    pub(crate) fn watch<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        let FaultCounts { refused, lost } = &*self.0;
        match &outcome {
            Err(DbErr::ConnectionAcquire(_)) => refused.fetch_add(1, Ordering::Relaxed),
            Err(
                DbErr::Conn(RuntimeErr::SqlxError(cause))
                | DbErr::Exec(RuntimeErr::SqlxError(cause))
                | DbErr::Query(RuntimeErr::SqlxError(cause)),
            ) => match &**cause {
                SqlxError::PoolTimedOut | SqlxError::PoolClosed => refused.fetch_add(1, Ordering::Relaxed),
                SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::Protocol(_) => lost.fetch_add(1, Ordering::Relaxed),
                _ => 0,
            },
            _ => 0,
        };
        outcome
    }

    pub(crate) fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

/// The pool.
pub(crate) type Pool = Normalised<DatabaseConnection>;
/// An open transaction.
pub(crate) type Transaction = Normalised<DatabaseTransaction>;

#[async_trait::async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Normalised<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.1.watch(self.0.execute_raw(told(normalise(statement))).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.1.watch(self.0.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.1.watch(self.0.query_one_raw(told(normalise(statement))).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.1.watch(self.0.query_all_raw(told(normalise(statement))).await)
    }

    fn support_returning(&self) -> bool {
        self.0.support_returning()
    }
}

/// Without the bound values. The fixture of the statements that a release sends is made from these events.
fn told(statement: Statement) -> Statement {
    tracing::trace!(target: "sme_pulse_persistence::statement", sql = statement.sql, "Statement");
    statement
}

fn normalise(mut statement: Statement) -> Statement {
    let sqlite = statement.db_backend == DbBackend::Sqlite;
    if let Some(values) = &mut statement.values {
        for value in &mut values.0 {
            if let Some(stored) = stored_form(value, sqlite) {
                *value = stored;
            }
        }
    }
    statement
}

/// `None` when the value is stored as it is.
fn stored_form(value: &Value, sqlite: bool) -> Option<Value> {
    match value {
        Value::ChronoDateTimeUtc(Some(at)) if sqlite => Some(timestamp_text(*at).into()),
        Value::ChronoDateTimeUtc(Some(at)) => Some(to_micros(*at).into()),
        Value::ChronoDateTimeUtc(None) | Value::Uuid(None) if sqlite => Some(Value::String(None)),
        Value::Uuid(Some(id)) if sqlite => Some(id.hyphenated().to_string().into()),
        _ => None,
    }
}

fn timestamp_text(at: DateTime<Utc>) -> String {
    to_micros(at).format(SQLITE_TIMESTAMP).to_string()
}

/// Shared by the store and what it lends out.
pub(crate) type SharedPool = Arc<Pool>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_one_width_and_sort_as_text() {
        let at = |micros| timestamp_text(DateTime::from_timestamp_micros(micros).unwrap());
        assert_eq!(at(0), "1970-01-01 00:00:00.000000");
        assert_eq!(at(1_500), "1970-01-01 00:00:00.001500");
        assert!(at(999_999) < at(1_000_000));
    }
}
