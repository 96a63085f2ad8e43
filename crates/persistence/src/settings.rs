//! How to reach the database, and the settings every connection gets.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sea_orm::{
    ConnectOptions,
    sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite},
};
use tokio::{sync::watch, time::Instant};

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
const OWN_CONNECTIONS: u32 = 2;
/// What a connection that serves requests begins with. `public` first, because the migrations' own list is unqualified. Then
/// it takes on the role that row-level security binds, where that exists, may be taken on and has been granted this
/// database. From version 16 on, being a member is not enough for that.
const TO_SERVE: &str = "SET search_path = public,core,finance,analytics,auth; \
    SELECT set_config('role', r.rolname, false) FROM pg_roles r, pg_namespace n \
    WHERE r.rolname = 'sme_pulse_runtime' AND n.nspname = 'auth' AND has_schema_privilege(r.oid, n.oid, 'USAGE') \
    AND pg_has_role(session_user, r.oid, \
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)";
/// What a connection begins with that acts for the operator: the setting lets the owner of the tables, and nobody else, see
/// the rows of all organizations.
const TO_OPERATE: &str = "SET search_path = public,core,finance,analytics,auth; SET sme_pulse.every_tenant = 'on'";

/// The two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded file.
    Sqlite,
    /// Server.
    Postgres,
}

impl Engine {
    /// The name that traces and metrics have for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// For whom connections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Requests: confined to one organization at a time.
    Serve,
    /// The operator, at the command line.
    Operate,
}

/// Since when connections have the role they should have; what was opened before is not lent out any more.
pub(crate) type OpenedSince = Arc<watch::Sender<Option<Instant>>>;

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
    pub(crate) fn connect_options(&self, purpose: Purpose, since: &OpenedSince) -> ConnectOptions {
        match self {
            Self::Sqlite { path } => sqlite_options(path.clone()),
            Self::Postgres { url, pool_size, max_overflow } => {
                let mut options = postgres_options(url, purpose, since);
                options
                    .min_connections(*pool_size)
                    .max_connections(pool_size.saturating_add(*max_overflow).saturating_add(OWN_CONNECTIONS));
                options
            }
        }
    }

    /// Options for what the operator does beside a serving pool, on PostgreSQL: one connection, opened when it is needed.
    pub(crate) fn operator_options(&self) -> Option<ConnectOptions> {
        let Self::Postgres { url, .. } = self else { return None };
        let mut options = postgres_options(url, Purpose::Operate, &OpenedSince::default());
        options.min_connections(0).max_connections(1);
        Some(options)
    }
}

/// Options to look at a file. One that nobody has open and whose log is folded in is taken as it is, so that not even the files
/// beside it are made.
pub(crate) fn read_only(path: &Path) -> ConnectOptions {
    let (path, is_alone) = (path.to_owned(), !crate::embedded::beside(path, "-wal").exists());
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).map_sqlx_sqlite_opts(move |connect| {
        let connect = connect.filename(&path).in_memory(false).shared_cache(false).create_if_missing(false);
        connect.read_only(true).immutable(is_alone).busy_timeout(BUSY_TIMEOUT)
    });
    shared_options(&mut options);
    options
}

/// Options for one connection to a file that is there, whose journal stays as it is unless told otherwise.
pub(crate) fn existing(path: &Path, journal: Option<sqlite::SqliteJournalMode>) -> sqlite::SqliteConnectOptions {
    let options =
        sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(false).busy_timeout(BUSY_TIMEOUT);
    match journal {
        Some(journal) => options.journal_mode(journal),
        None => options,
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

fn postgres_options(url: &str, purpose: Purpose, since: &OpenedSince) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.set_application_name("sme-pulse");
    let first = match purpose {
        Purpose::Serve => TO_SERVE,
        Purpose::Operate => TO_OPERATE,
    };
    options.map_sqlx_postgres_pool_opts(move |pool| {
        pool.after_connect(move |connection, _| Box::pin(async move { connection.execute(first).await.map(drop) }))
    });
    let since = Arc::clone(since);
    options.map_sqlx_postgres_before_acquire(move |_, meta| {
        let too_old = since.borrow().is_some_and(|since| meta.age > since.elapsed());
        Box::pin(async move { Ok(!too_old) })
    });
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
