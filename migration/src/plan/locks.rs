//! The locks on tables that a transaction of PostgreSQL holds, and what they keep others from.

use std::collections::BTreeSet;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

const TABLES: &str = "SELECT c.oid::bigint AS id FROM pg_class c WHERE c.relkind IN ('r', 'p') \
    AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('core', 'finance', 'analytics', 'auth'))";

const HELD: &str = "SELECT c.oid::bigint AS id, n.nspname || '.' || c.relname AS name, l.mode FROM pg_locks l \
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_backend_pid() \
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY name, l.mode";

/// A lock on one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableLock {
    /// With its schema.
    pub table: String,
    /// As PostgreSQL names it in `pg_locks`.
    pub mode: String,
}

/// The modes, weakest first, and who waits until they are released.
const MODES: [(&str, &str); 8] = [
    ("AccessShareLock", "nobody waits"),
    ("RowShareLock", "nobody waits"),
    ("RowExclusiveLock", "nobody waits"),
    ("ShareUpdateExclusiveLock", "nobody waits but changes of the schema"),
    ("ShareLock", "writers wait"),
    ("ShareRowExclusiveLock", "writers wait"),
    ("ExclusiveLock", "writers wait"),
    ("AccessExclusiveLock", "readers and writers wait"),
];

impl TableLock {
    /// A stronger lock has a higher number.
    pub(super) fn strength(&self) -> usize {
        MODES.iter().position(|(mode, _)| *mode == self.mode).unwrap_or(MODES.len())
    }

    pub(super) fn effect(&self) -> &'static str {
        MODES.iter().find(|(mode, _)| *mode == self.mode).map_or("not known to this program", |(_, effect)| effect)
    }
}

/// The ids of our tables.
pub(super) async fn existing(db: &impl ConnectionTrait) -> Result<BTreeSet<i64>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, TABLES)).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// What the transaction holds on those of `tables`.
pub(super) async fn held(db: &impl ConnectionTrait, tables: &BTreeSet<i64>) -> Result<Vec<TableLock>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, HELD)).await?;
    let mut locks = Vec::new();
    for row in rows {
        if tables.contains(&row.try_get::<i64>("", "id")?) {
            locks.push(TableLock { table: row.try_get("", "name")?, mode: row.try_get("", "mode")? });
        }
    }
    Ok(locks)
}
