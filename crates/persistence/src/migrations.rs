//! The schema's changes, applied through the store: the layers above never see the migration library.

use std::path::{Path, PathBuf};

use sea_orm::DatabaseConnection;
use sme_pulse_migration::{self as migration, MigrateError};

use crate::{DatabaseSettings, Store, StoreError};

pub use sme_pulse_migration::{Plan as MigrationPlan, Standing as SchemaStanding};

/// Why the schema could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database cannot be reached; trying again later may help.
    #[error(transparent)]
    Unreachable(StoreError),
    /// The schema could not be changed, and is as it was before.
    #[error(transparent)]
    Refused(MigrateError),
}

impl From<MigrateError> for MigrationError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Database(cause) => match StoreError::from(cause) {
                unreachable @ StoreError::Unavailable(_) => Self::Unreachable(unreachable),
                StoreError::Busy(cause) | StoreError::Refused(_, cause) | StoreError::Failed(cause) => {
                    Self::Refused(MigrateError::Database(cause))
                }
                other @ StoreError::Unreadable(_) => Self::Unreachable(other),
            },
            other => Self::Refused(other),
        }
    }
}

impl Store {
    /// Applies all pending changes; returns their names. Parallel callers wait for each other. On PostgreSQL it makes the
    /// role that serves requests as well, and grants it what it needs, if that can be done.
    pub async fn migrate_up(&self) -> Result<Vec<String>, MigrationError> {
        self.as_operator(async |db, lock| {
            let applied = migration::up(db, lock).await?;
            migration::prepare_runtime_role(db, lock).await?;
            Ok(applied)
        })
        .await
    }

    /// Takes back the last `steps` changes, or all of them.
    pub async fn migrate_down(&self, steps: Option<u32>) -> Result<Vec<String>, MigrationError> {
        self.as_operator(async |db, lock| migration::down(db, lock, steps).await).await
    }

    /// Removes everything, data included, and builds the schema anew.
    pub async fn migrate_fresh(&self) -> Result<Vec<String>, MigrationError> {
        self.as_operator(async |db, lock| {
            let applied = migration::fresh(db, lock).await?;
            migration::prepare_runtime_role(db, lock).await?;
            Ok(applied)
        })
        .await
    }

    /// What an administrator has to do, as statements, so that requests are served in a role of their own; nothing when that
    /// is done, and on SQLite.
    pub async fn prepare_runtime_role(&self) -> Result<Vec<String>, MigrationError> {
        self.as_operator(async |db, lock| Ok(migration::prepare_runtime_role(db, lock).await?.0)).await
    }

    /// What [`Self::migrate_up`] would send now, and lock; nothing is changed. On PostgreSQL it needs the operator's store, and
    /// fails rather than hold others up.
    pub async fn migration_plan(&self) -> Result<MigrationPlan, MigrationError> {
        Ok(migration::plan(self.raw()).await?)
    }

    /// The same for an embedded file that does not exist yet, and is not made.
    pub async fn migration_plan_from_nothing() -> Result<MigrationPlan, MigrationError> {
        Ok(migration::plan_from_nothing().await?)
    }

    /// Every change by name, and whether it is applied.
    pub async fn migration_status(&self) -> Result<Vec<(String, bool)>, MigrationError> {
        Ok(migration::status(self.raw()).await?)
    }

    /// Which changes are applied, pending, and unknown to this program.
    pub async fn schema_standing(&self) -> Result<SchemaStanding, MigrationError> {
        Ok(migration::standing(self.raw()).await?)
    }

    /// How many changes are pending; 0 on a schema newer than this program.
    pub async fn pending_migrations(&self) -> Result<usize, MigrationError> {
        Ok(migration::pending(self.raw()).await?)
    }

    /// On a pool of the role that the program connects as: the role that serves requests may change no schema.
    async fn as_operator<T>(
        &self,
        work: impl AsyncFnOnce(&DatabaseConnection, Option<&Path>) -> Result<T, MigrateError>,
    ) -> Result<T, MigrationError> {
        let (pool, own) = self.operator_pool().await.map_err(MigrationError::Unreachable)?;
        let done = work(&pool, self.migration_lock()).await;
        if own {
            pool.close().await.map_err(|error| MigrationError::Unreachable(error.into()))?;
            self.reconnect();
        }
        Ok(done?)
    }
}

/// The file that keeps two migrators of one SQLite database apart; PostgreSQL has locks of its own.
pub(crate) fn lock_path(settings: &DatabaseSettings) -> Option<PathBuf> {
    let DatabaseSettings::Sqlite { path } = settings else { return None };
    let mut name = path.as_os_str().to_owned();
    name.push(".migrate.lock");
    Some(name.into())
}
