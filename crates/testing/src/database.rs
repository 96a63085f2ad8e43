//! One empty database per test: made when asked for, gone when dropped.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};
use tempfile::TempDir;
use url::Url;

use crate::run::block_on;

/// Names the cluster in which PostgreSQL tests create their databases.
const CLUSTER: &str = "TEST_POSTGRES_URL";

/// What every connection of the product has on PostgreSQL. No blanks: only the first name would count.
const SEARCH_PATH: &str = "public,core,finance,analytics,auth";

/// Which of the two a [`TestDatabase`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// An embedded file.
    Sqlite,
    /// A database in the cluster of `TEST_POSTGRES_URL`.
    Postgres,
}

/// An empty database that nobody else uses and that is removed when this value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Folder(TempDir),
    Cluster(Option<Removal>),
}

/// A database of the cluster that is dropped with this value.
#[derive(Debug)]
pub(crate) struct Removal {
    cluster: String,
    name: String,
}

impl TestDatabase {
    /// A file in a directory of its own. The file does not exist before the first connection.
    pub fn sqlite() -> Self {
        let folder = TempDir::new().unwrap_or_else(|error| panic!("no directory for a test database: {error}"));
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
        Self { url, home: Home::Folder(folder) }
    }

    /// A database in the cluster of `TEST_POSTGRES_URL`; `None` when that is not set.
    ///
    /// # Panics
    /// When the variable is not set although `CI` is `true`, and when the cluster refuses.
    pub async fn postgres() -> Option<Self> {
        let Some(cluster) = env::var(CLUSTER).ok().filter(|url| !url.is_empty()) else {
            assert!(env::var("CI").as_deref() != Ok("true"), "{CLUSTER} is not set, and CI must test PostgreSQL");
            say(&format!("PostgreSQL half skipped: {CLUSTER} is not set"));
            return None;
        };
        // The hasher's keys are random per instance, and different in every process.
        let name = format!("sme_pulse_test_{:016x}", RandomState::new().build_hasher().finish());
        // template1 may be in use by others, which would refuse the copy; template0 never is.
        run_on(&cluster, &format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await
            .unwrap_or_else(|error| panic!("no test database in the cluster of {CLUSTER}: {error}"));
        let mut url = Url::parse(&cluster).unwrap_or_else(|error| panic!("{CLUSTER} is not an address: {error}"));
        url.set_path(&name);
        Some(Self { url: url.into(), home: Home::Cluster(Some(Removal { cluster, name })) })
    }

    /// Leaves the removal to the caller. A server process that is in the middle of a log-in holds up every removal for a
    /// minute, and a client whose runtime stands still never ends that log-in; so whoever can outlives the runtime.
    pub(crate) fn take_removal(&mut self) -> Option<Removal> {
        match &mut self.home {
            Home::Cluster(removal) => removal.take(),
            Home::Folder(_) => None,
        }
    }

    /// The address, in the form that `DATABASE_URL` takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match self.home {
            Home::Folder(_) => Engine::Sqlite,
            Home::Cluster(_) => Engine::Postgres,
        }
    }

    /// The directory of the SQLite file, which is also a place for other files of the test.
    pub fn folder(&self) -> Option<&Path> {
        match &self.home {
            Home::Folder(folder) => Some(folder.path()),
            Home::Cluster(_) => None,
        }
    }

    /// The SQLite file.
    pub fn file(&self) -> Option<PathBuf> {
        self.folder().map(|folder| folder.join("test.db"))
    }

    /// A pool of its own with at most four connections, set up as in production, for assertions beside the code
    /// under test.
    pub async fn connect(&self) -> DatabaseConnection {
        self.connect_with(4).await
    }

    /// As [`Self::connect`], with at most `connections`.
    pub async fn connect_with(&self, connections: u32) -> DatabaseConnection {
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(connections).sqlx_logging(false);
        match self.home {
            Home::Cluster(_) => {
                options.set_schema_search_path(SEARCH_PATH);
            }
            Home::Folder(_) => {
                options.map_sqlx_sqlite_opts(|options| {
                    options
                        .foreign_keys(true)
                        .pragma("journal_mode", "WAL")
                        .pragma("synchronous", "FULL")
                        .busy_timeout(Duration::from_secs(5))
                });
            }
        }
        Database::connect(options).await.unwrap_or_else(|error| panic!("cannot open the test database: {error}"))
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        let Self { cluster, name } = self;
        // The caller may be inside a runtime, which must not be entered a second time from the same thread.
        let dropped = thread::scope(|scope| {
            scope.spawn(|| block_on(run_on(cluster, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))).join()
        });
        // No panic: the test may be unwinding already.
        match dropped {
            Ok(Ok(())) => {}
            Ok(Err(error)) => say(&format!("the test database {name} remains: {error}")),
            Err(_) => say(&format!("the test database {name} remains")),
        }
    }
}

/// One statement outside any transaction, on a connection that is closed afterwards.
async fn run_on(cluster: &str, sql: &str) -> Result<(), DbErr> {
    let mut options = ConnectOptions::new(cluster);
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    let done = connection.execute_unprepared(sql).await.map(drop);
    connection.close().await?;
    done
}

#[expect(clippy::print_stderr, reason = "this is how a test tells its reader what it left out")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
