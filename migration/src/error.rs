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
    /// The rehearsal for a plan was given up, so that nobody waits for it.
    #[error(
        "{} has to wait for others, or takes long; plan when less is going on, or on a restored copy",
        name.as_deref().unwrap_or("the plan")
    )]
    Held {
        /// The migration that it was at.
        name: Option<String>,
    },
    /// Neither SQLite nor PostgreSQL.
    #[error("there is no schema for this kind of database")]
    Unsupported,
    /// Any other answer of the database.
    #[error("the database refused")]
    Database(#[from] DbErr),
}
