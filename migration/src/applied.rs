//! Reads which migrations a database has. It changes nothing and needs no right but to read.

use std::collections::BTreeSet;

use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::dialect::Dialect;

/// What the list and the database say of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In both, in the order of the list.
    pub applied: Vec<String>,
    /// In the list only, in its order.
    pub pending: Vec<String>,
    /// In the database only: it was changed by a later version, or by another program.
    pub unknown: Vec<String>,
}

impl Standing {
    pub(crate) async fn read<M: MigratorTrait>(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let mut recorded = recorded(db).await?;
        let names = M::migrations().into_iter().map(|migration| migration.name().to_owned());
        let (applied, pending) = names.partition(|name| recorded.remove(name));
        Ok(Self { applied, pending, unknown: recorded.into_iter().collect() })
    }
}

async fn recorded(db: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let backend = db.get_database_backend();
    // `public` by name: the search path may put another schema first.
    let (exists, read) = match Dialect::of(backend)? {
        Dialect::Postgres => (
            "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename = 'seaql_migrations'",
            "SELECT version FROM public.seaql_migrations",
        ),
        Dialect::Sqlite => (
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
            "SELECT version FROM seaql_migrations",
        ),
    };
    if db.query_one_raw(Statement::from_string(backend, exists)).await?.is_none() {
        return Ok(BTreeSet::new());
    }
    let rows = db.query_all_raw(Statement::from_string(backend, read)).await?;
    rows.iter().map(|row| row.try_get("", "version")).collect()
}
