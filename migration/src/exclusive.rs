//! Being the only migrator of a database, in one transaction that either does everything or nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use crate::dialect::Dialect;
use crate::error::MigrateError;
use crate::m20261122_000007_change_notices::TELL_ALL;

/// "SMEPULSE" as a number: nobody else in this database should lock it.
const LOCK_KEY: i64 = 0x534D_4550_554C_5345;

/// The transaction of the only migrator. Dropped without [`Self::commit`], it takes everything back.
#[derive(Debug)]
pub(crate) struct Exclusive {
    pub(crate) tx: DatabaseTransaction,
    // After the transaction, so that the next migrator finds it ended.
    _file: Option<File>,
}

impl Exclusive {
    /// Waits until every other migrator is done. `lock` is used on SQLite alone.
    ///
    /// The lock of PostgreSQL belongs to the transaction, so it needs no connection beside it (a pool of one is
    /// enough) and ends with it, however that happens.
    pub(crate) async fn enter(db: &DatabaseConnection, lock: Option<&Path>) -> Result<Self, MigrateError> {
        let dialect = Dialect::of(db.get_database_backend()).map_err(|_| MigrateError::Unsupported)?;
        match dialect {
            Dialect::Sqlite => {
                let file = match lock {
                    Some(path) => Some(hold(path).await?),
                    None => None,
                };
                let mode = Some(SqliteTransactionMode::Immediate);
                let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
                Ok(Self { tx: db.begin_with_options(options).await?, _file: file })
            }
            Dialect::Postgres => {
                // Stricter levels would show a waiting migrator the schema from before its wait.
                let level = Some(IsolationLevel::ReadCommitted);
                let options = TransactionOptions { isolation_level: level, ..Default::default() };
                let tx = db.begin_with_options(options).await?;
                prepare(&tx).await?;
                Ok(Self { tx, _file: None })
            }
        }
    }

    /// Servers that run on the database forget whom they remember: tables may have been emptied or dropped.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        if self.tx.get_database_backend() == DbBackend::Postgres {
            self.tx.execute_unprepared(TELL_ALL).await?;
        }
        self.tx.commit().await
    }
}

/// What a migrator's transaction begins with on PostgreSQL.
pub(crate) const PREPARE: [&str; 3] = [
    // Waiting for another migrator, or building an index, may take longer than a request is given.
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0",
    // The first schema gets the list of migrations.
    "SET LOCAL search_path = public, core, finance, analytics, auth",
    // Tables that are confined to organizations show their owner nothing otherwise.
    "SET LOCAL sme_pulse.every_tenant = 'on'",
];

/// Waits until every other migrator is done.
pub(crate) fn alone() -> String {
    format!("SELECT pg_advisory_xact_lock({LOCK_KEY})")
}

async fn prepare(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    for statement in PREPARE {
        tx.execute_unprepared(statement).await?;
    }
    tx.execute_unprepared(&alone()).await?;
    Ok(())
}

/// Waits for the lock on a thread where waiting hurts nobody. It ends when the file is closed, also by a crash.
async fn hold(path: &Path) -> Result<File, MigrateError> {
    let wanted = path.to_owned();
    let locked = tokio::task::spawn_blocking(move || {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(wanted)?;
        file.lock()?;
        Ok(file)
    });
    let locked = locked.await.map_err(io::Error::other).flatten();
    locked.map_err(|source| MigrateError::Lock { path: path.to_owned(), source })
}
