//! An embedded database as a file: who has it open, a copy while it is in use, whether it is whole, and what is in it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, Statement,
    sqlx::{
        AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqliteConnection, sqlite::SqliteJournalMode,
    },
};

use crate::{Engine, Store, StoreError, settings};

/// Most findings of a damaged file that are told.
const FINDINGS: usize = 5;
/// How far the numbers of revocations go on beyond those of a copy. What was numbered after it was made is gone, but tokens name
/// those numbers until they expire, and would look younger than what is taken back next.
const REVOCATIONS_SKIPPED: i64 = 1_000_000;

/// A database file.
#[derive(Debug, Clone)]
pub struct EmbeddedFile(PathBuf);

/// Says that a file is in use, until it is dropped or the process ends.
#[derive(Debug)]
pub struct InUse(#[expect(dead_code, reason = "the lock ends when the file is closed")] File);

/// What is in a database, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// How many organizations.
    pub organizations: i64,
    /// How many users.
    pub users: i64,
    /// When the newest audit event was recorded.
    pub newest_event: Option<DateTime<Utc>>,
}

impl InUse {
    /// For whoever works with the file. Refused while somebody puts another one in its place.
    pub(crate) fn shared(path: &Path) -> Result<Self, StoreError> {
        let file = lock_file(path)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(unavailable(&"another file is being put in its place")),
            Err(TryLockError::Error(error)) => Err(unavailable(&error)),
        }
    }

    /// For whoever puts another file in its place; `None` while a process has it open.
    pub fn alone(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = lock_file(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unavailable(&error)),
        }
    }
}

impl EmbeddedFile {
    /// The file at a path, which need not exist.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Writes one consistent state of it into an empty file, while others read and write; they wait for nothing. The copy is
    /// one file without a log beside it, and not yet on the disk.
    pub async fn copy_to(&self, target: &Path) -> Result<(), StoreError> {
        let target = target.to_str().ok_or_else(|| unavailable(&"the path is not UTF-8"))?;
        let mut connection = self.connect(None).await?;
        let statement = format!("VACUUM INTO '{}'", target.replace('\'', "''"));
        let copied = connection.execute(AssertSqlSafe(statement)).await;
        close(connection).await;
        copied.map(drop).map_err(exec)
    }

    /// Folds the log into the file and removes what lies beside it. `Busy` when anybody else has it open.
    pub async fn fold(&self) -> Result<(), StoreError> {
        close(self.connect(Some(SqliteJournalMode::Delete)).await?).await;
        Ok(())
    }

    /// Lets the numbers of revocations go on far beyond those that the file knows.
    pub async fn skip_revocations(&self) -> Result<(), StoreError> {
        let mut connection = self.connect(None).await?;
        let skipped = connection
            .execute(AssertSqlSafe(format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'revocations', 0 \
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'revocations'); \
                 UPDATE sqlite_sequence SET seq = seq + {REVOCATIONS_SKIPPED} WHERE name = 'revocations'"
            )))
            .await;
        close(connection).await;
        skipped.map(drop).map_err(exec)
    }

    async fn connect(&self, journal: Option<SqliteJournalMode>) -> Result<SqliteConnection, StoreError> {
        settings::existing(&self.0, journal).connect().await.map_err(exec)
    }
}

impl Store {
    /// What is wrong with an embedded file, in the words of the engine; nothing when it is whole. `quick` leaves out whether
    /// indexes agree with their tables. On PostgreSQL, where no statement checks that, nothing is ever found.
    pub async fn damage(&self, quick: bool) -> Result<Vec<String>, StoreError> {
        if self.engine() == Engine::Postgres {
            return Ok(Vec::new());
        }
        let check = if quick { "quick_check" } else { "integrity_check" };
        let mut found = Vec::new();
        for row in self.rows(format!("PRAGMA {check}({FINDINGS})")).await? {
            found.push(row.try_get_by_index::<String>(0)?);
        }
        found.retain(|line| line != "ok");
        for row in self.rows("PRAGMA foreign_key_check".to_owned()).await?.iter().take(FINDINGS) {
            let (table, target): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(2)?);
            found.push(format!("a row of {table} refers to a row of {target} that is not there"));
        }
        Ok(found)
    }

    /// What is in the database. For the operator's store: others see nothing of it on PostgreSQL.
    pub async fn contents(&self) -> Result<Contents, StoreError> {
        const SQL: &str = "SELECT (SELECT COUNT(*) FROM organizations) AS organizations, \
            (SELECT COUNT(*) FROM users) AS users, (SELECT MAX(created_at) FROM audit_log) AS newest";
        let rows = self.rows(SQL.to_owned()).await?;
        let row = rows.first().ok_or(StoreError::Unreadable("count"))?;
        let newest_event = match self.engine() {
            Engine::Postgres => row.try_get("", "newest")?,
            Engine::Sqlite => row.try_get::<Option<String>>("", "newest")?.map(|text| time(&text)).transpose()?,
        };
        Ok(Contents {
            organizations: row.try_get("", "organizations")?,
            users: row.try_get("", "users")?,
            newest_event,
        })
    }

    async fn rows(&self, sql: String) -> Result<Vec<sea_orm::QueryResult>, StoreError> {
        let pool = self.pool();
        Ok(pool.query_all_raw(Statement::from_string(pool.get_database_backend(), sql)).await?)
    }
}

/// A file beside the database: `-wal`, `-shm`, `.lock`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn lock_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    options.open(beside(path, ".lock")).map_err(|error| unavailable(&error))
}

/// As SQLite stores times.
fn time(text: &str) -> Result<DateTime<Utc>, StoreError> {
    let parsed = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f");
    parsed.map(|time| time.and_utc()).map_err(|_| StoreError::Unreadable("time"))
}

fn unavailable(error: &impl ToString) -> StoreError {
    StoreError::Unavailable(DbErr::Custom(error.to_string()))
}

fn exec(error: sea_orm::SqlxError) -> StoreError {
    DbErr::Exec(sea_orm::RuntimeErr::SqlxError(std::sync::Arc::new(error))).into()
}

/// A connection that is merely dropped would be closed at some later time.
async fn close(connection: SqliteConnection) {
    // What was done is done, and the answer says how it went.
    let _ = connection.close().await;
}
