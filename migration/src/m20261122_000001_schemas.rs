//! The schemas `core`, `finance`, `analytics` and `auth`. SQLite has none, so there this changes nothing.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{DbBackend, Statement};

use crate::perform::perform;
use crate::table::Schema;

#[derive(Debug)]
pub(crate) struct Schemas;

impl MigrationName for Schemas {
    fn name(&self) -> &'static str {
        "m20261122_000001_schemas"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Schemas {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for name in Schema::ALL.map(Schema::name) {
            // IF NOT EXISTS would ask for the right to create schemas even where an administrator has made them.
            let found = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
            let found = Statement::from_sql_and_values(DbBackend::Postgres, found, [name.into()]);
            if db.query_one_raw(found).await?.is_none() {
                perform(db, &format!("CREATE SCHEMA {name}")).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            for name in Schema::ALL.map(Schema::name) {
                perform(db, &format!("DROP SCHEMA {name}")).await?;
            }
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
