//! How to reach the database, and the settings every connection gets.

use std::{path::PathBuf, time::Duration};

use sea_orm::{
    ConnectOptions,
    sqlx::{Connection as _, SqliteConnection, sqlite},
};

/// How long a request waits for a connection before it is told the service is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a SQLite statement waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle for this long is tried before it is lent out, so that a restarted database costs nobody
/// a refusal. Under load none is idle for so long, and the second round trip is saved.
const PING_AFTER: Duration = Duration::from_secs(1);
/// SQLite connections: many readers beside the one writer that the engine allows.
const SQLITE_CONNECTIONS: u32 = 8;
/// What the listener for changes takes out of a PostgreSQL pool for good; requests must not wait for it.
const LISTENER_CONNECTIONS: u32 = 1;
/// `public` first, because the migrations' own list is unqualified; no spaces, or only the first schema is found.
const SEARCH_PATH: &str = "public,core,finance,analytics,auth";

/// The two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded file.
    Sqlite,
    /// Server.
    Postgres,
}

/// Where the rows are.
#[derive(Clone)]
pub enum DatabaseSettings {
    /// An embedded file, created when missing (its folder is the caller's task).
    Sqlite {
        /// Path of the file.
        path: PathBuf,
    },
    /// A PostgreSQL server. There is no `Debug`: the URL may hold a password.
    Postgres {
        /// `postgres://user:password@host:port/name`.
        url: String,
        /// Connections that are kept.
        pool_size: u32,
        /// Connections that may be added under load.
        max_overflow: u32,
    },
}

impl DatabaseSettings {
    /// Which engine this is.
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }

    /// The embedded database's file.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite { path } => Some(path.clone()),
            Self::Postgres { .. } => None,
        }
    }

    /// Pool options. Connections are opened lazily, so that an unreachable server fails requests, not the process.
    pub(crate) fn connect_options(&self) -> ConnectOptions {
        match self {
            Self::Sqlite { path } => sqlite_options(path.clone()),
            Self::Postgres { url, pool_size, max_overflow } => postgres_options(url, *pool_size, *max_overflow),
        }
    }
}

fn sqlite_options(path: PathBuf) -> ConnectOptions {
    // The file name is set below: inside a URL, `?` and `%` in a path would be read as syntax.
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(SQLITE_CONNECTIONS).map_sqlx_sqlite_opts(move |connect| {
        connect
            .filename(&path)
            .in_memory(false)
            .shared_cache(false)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(sqlite::SqliteJournalMode::Wal)
            .synchronous(sqlite::SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
    });
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.after_release(|connection, _| Box::pin(async move { Ok(is_outside_a_transaction(connection).await) }))
    });
    shared_options(&mut options);
    options
}

/// Whether a connection may go back into the pool. When a commit fails (a full disk, an I/O error), SQLite ends the
/// transaction by itself or not, and the driver's count of open transactions no longer agrees with it: the next
/// "transaction" on that connection would be a savepoint inside one that nobody commits, and its rows would be lost
/// although they were acknowledged. Such a connection is closed, which undoes whatever it still held.
async fn is_outside_a_transaction(connection: &mut SqliteConnection) -> bool {
    if !connection.is_in_transaction() {
        return true;
    }
    // The roll-back of a dropped transaction is only queued; the answer to a ping comes after it.
    connection.ping().await.is_ok() && !connection.is_in_transaction()
}

fn postgres_options(url: &str, pool_size: u32, max_overflow: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .min_connections(pool_size)
        .max_connections(pool_size.saturating_add(max_overflow).saturating_add(LISTENER_CONNECTIONS))
        .set_schema_search_path(SEARCH_PATH)
        .set_application_name("sme-pulse");
    shared_options(&mut options);
    options
}

fn shared_options(options: &mut ConnectOptions) {
    options
        .connect_lazy(true)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire_if_idle_for(PING_AFTER)
        .sqlx_logging(false);
}
