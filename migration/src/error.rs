//! Why the schema could not be read or changed.

use std::io;
use std::path::PathBuf;

use sea_orm_migration::sea_orm::DbErr;

/// Whatever it is, the database is as it was before the call.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The statements of one migration failed.
    #[error("migration {name} failed; nothing was changed")]
    Failed {
        /// The migration.
        name: String,
        /// What the database said.
        source: DbErr,
    },
    /// The database was changed by a later version, or by another one.
    #[error("the database has migrations that this version does not know: {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// The file that keeps other migrators away.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither SQLite nor PostgreSQL.
    #[error("there is no schema for this kind of database")]
    Unsupported,
    /// Any other answer of the database.
    #[error("the database refused")]
    Database(#[from] DbErr),
}
