//! What the pending migrations would send and lock, found by rehearsing them where nothing stays.
//!
//! On PostgreSQL they run on the database itself, in a transaction that is rolled back: a role that owns tables may seldom
//! make a database to rehearse in, and only there is everything as it will be. So for a moment the locks are real. Nobody is
//! made to wait long: the rehearsal itself waits for a lock at most [`LOCK_TIMEOUT`], and ends after [`PATIENCE`].
//!
//! On SQLite they run in memory, on a schema built from the same list: the file is only read.

mod locks;
mod text;

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm_migration::sea_orm::sqlx::error::DatabaseError;
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr, RuntimeErr, TransactionTrait as _,
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigrationTrait, MigratorTrait, SchemaManager};

use crate::Migrator;
use crate::applied::Standing;
use crate::dialect::Dialect;
use crate::error::MigrateError;
use crate::exclusive::{PREPARE, alone};
use crate::perform::recorded;
pub use locks::TableLock;
use locks::{existing, held};

/// How long the rehearsal waits for one lock, and others behind it; as PostgreSQL writes it.
const LOCK_TIMEOUT: &str = "250ms";
/// The longest that one statement of it may take.
const STATEMENT_TIMEOUT: &str = "2s";
/// After which it is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pending migrations. Its text is SQL with comments, which does by hand what `up` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    dialect: Dialect,
    /// Whether the database has no list of migrations yet.
    begins: bool,
    /// What is pending, oldest first.
    pub changes: Vec<PlannedChange>,
    /// Migrations that the database has from a later version. Then nothing is pending.
    pub unknown: Vec<String>,
}

/// One pending migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// Its name.
    pub name: String,
    /// What it sends, in order. An entry may be several statements.
    pub statements: Vec<String>,
    /// Locks on tables that were there before and that no earlier migration of the plan has taken; none on SQLite, where there is
    /// one for the whole file.
    pub locks: Vec<TableLock>,
}

/// What [`crate::up`] would do now. It changes nothing. On PostgreSQL it needs the rights of `up`, and fails with
/// [`MigrateError::Held`] rather than hold others up.
pub async fn plan(db: &DatabaseConnection) -> Result<Plan, MigrateError> {
    plan_list::<Migrator>(db).await
}

/// As [`plan`], for another list.
pub async fn plan_list<M: MigratorTrait>(db: &DatabaseConnection) -> Result<Plan, MigrateError> {
    let dialect = Dialect::of(db.get_database_backend()).map_err(|_| MigrateError::Unsupported)?;
    let standing = Standing::read::<M>(db).await?;
    if !standing.pending.is_empty() && !standing.unknown.is_empty() {
        return Err(MigrateError::Unknown(standing.unknown));
    }
    let changes = match dialect {
        _ if standing.pending.is_empty() => Vec::new(),
        Dialect::Sqlite => in_memory::<M>(&standing.applied).await?,
        Dialect::Postgres => {
            let rehearsed = tokio::time::timeout(PATIENCE, on_postgres::<M>(db, &standing.pending)).await;
            rehearsed.map_err(|_| MigrateError::Held { name: None })??
        }
    };
    let begins = standing.applied.is_empty() && standing.unknown.is_empty();
    Ok(Plan { dialect, begins, changes, unknown: standing.unknown })
}

/// The plan for an SQLite database that does not exist yet.
pub async fn plan_from_nothing() -> Result<Plan, MigrateError> {
    let changes = in_memory::<Migrator>(&[]).await?;
    Ok(Plan { dialect: Dialect::Sqlite, begins: true, changes, unknown: Vec::new() })
}

async fn in_memory<M: MigratorTrait>(applied: &[String]) -> Result<Vec<PlannedChange>, MigrateError> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    // Each connection has a memory of its own.
    options.max_connections(1).sqlx_logging(false);
    let memory = Database::connect(options).await?;
    let (before, after): (Vec<_>, Vec<_>) =
        M::migrations().into_iter().partition(|migration| applied.iter().any(|name| name == migration.name()));
    for migration in before {
        apply(&memory, &*migration).await?;
    }
    let mut changes = Vec::new();
    for migration in after {
        let statements = apply(&memory, &*migration).await?;
        changes.push(PlannedChange { name: migration.name().to_owned(), statements, locks: Vec::new() });
    }
    memory.close().await?;
    Ok(changes)
}

async fn on_postgres<M: MigratorTrait>(
    db: &DatabaseConnection,
    pending: &[String],
) -> Result<Vec<PlannedChange>, MigrateError> {
    let tx = db.begin().await?;
    for statement in PREPARE {
        tx.execute_unprepared(statement).await?;
    }
    let limits =
        format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'");
    tx.execute_unprepared(&limits).await?;
    match tx.execute_unprepared(&alone()).await {
        Err(error) if is_timeout(&error) => return Err(MigrateError::Held { name: None }),
        done => done?,
    };
    let existing = existing(&tx).await?;
    let mut known = BTreeSet::new();
    let mut changes = Vec::new();
    for migration in M::migrations().into_iter().filter(|migration| pending.iter().any(|name| name == migration.name()))
    {
        let statements = apply(&tx, &*migration).await?;
        let locks = held(&tx, &existing).await?.into_iter().filter(|lock| known.insert(lock.clone())).collect();
        changes.push(PlannedChange { name: migration.name().to_owned(), statements, locks });
    }
    tx.rollback().await?;
    Ok(changes)
}

/// What it sent.
async fn apply<'c>(
    db: impl IntoSchemaManagerConnection<'c>,
    migration: &dyn MigrationTrait,
) -> Result<Vec<String>, MigrateError> {
    let (done, statements) = recorded(migration.up(&SchemaManager::new(db))).await;
    let name = || migration.name().to_owned();
    match done {
        Ok(()) => Ok(statements),
        Err(error) if is_timeout(&error) => Err(MigrateError::Held { name: Some(name()) }),
        Err(source) => Err(MigrateError::Failed { name: name(), source }),
    }
}

/// `lock_not_available`, and `query_canceled`.
fn is_timeout(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    let code = cause.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == "55P03" || code == "57014")
}
