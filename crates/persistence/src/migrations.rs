//! The schema's changes, applied through the store: the layers above never see the migration library.

use std::path::PathBuf;

use sme_pulse_migration::{self as migration, MigrateError};

use crate::{DatabaseSettings, Store, StoreError};

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
    /// Applies all pending changes; returns their names. Parallel callers wait for each other.
    pub async fn migrate_up(&self) -> Result<Vec<String>, MigrationError> {
        Ok(migration::up(self.raw(), self.migration_lock()).await?)
    }

    /// Takes back the last `steps` changes, or all of them.
    pub async fn migrate_down(&self, steps: Option<u32>) -> Result<Vec<String>, MigrationError> {
        Ok(migration::down(self.raw(), self.migration_lock(), steps).await?)
    }

    /// Removes everything, data included, and builds the schema anew.
    pub async fn migrate_fresh(&self) -> Result<Vec<String>, MigrationError> {
        Ok(migration::fresh(self.raw(), self.migration_lock()).await?)
    }

    /// Every change by name, and whether it is applied.
    pub async fn migration_status(&self) -> Result<Vec<(String, bool)>, MigrationError> {
        Ok(migration::status(self.raw()).await?)
    }

    /// How many changes are pending; 0 on a schema newer than this program.
    pub async fn pending_migrations(&self) -> Result<usize, MigrationError> {
        Ok(migration::pending(self.raw()).await?)
    }
}

/// The file that keeps two migrators of one SQLite database apart; PostgreSQL has locks of its own.
pub(crate) fn lock_path(settings: &DatabaseSettings) -> Option<PathBuf> {
    let DatabaseSettings::Sqlite { path } = settings else { return None };
    let mut name = path.as_os_str().to_owned();
    name.push(".migrate.lock");
    Some(name.into())
}
