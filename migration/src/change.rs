//! The commonest migrations: making tables or columns, and removing them again. Others implement `MigrationTrait`
//! themselves.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::dialect::Dialect;
use crate::perform::perform;
use crate::table::Table;

/// Makes its tables in order; on the way down removes them in reverse.
#[derive(Debug)]
pub(crate) struct NewTables {
    pub(crate) name: &'static str,
    pub(crate) tables: &'static [Table],
}

impl MigrationName for NewTables {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for NewTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db.get_database_backend())?;
        for statement in self.tables.iter().flat_map(|table| dialect.create(table)) {
            perform(db, &statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db.get_database_backend())?;
        for table in self.tables.iter().rev() {
            perform(db, &dialect.drop(table)).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Adds columns, and indexes over them, to tables that are there; on the way down removes them in reverse. Each table
/// is described by its new parts alone, which must allow rows that were there before.
#[derive(Debug)]
pub(crate) struct AddedColumns {
    pub(crate) name: &'static str,
    pub(crate) tables: &'static [Table],
}

impl MigrationName for AddedColumns {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddedColumns {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db.get_database_backend())?;
        for statement in self.tables.iter().flat_map(|table| dialect.add(table)) {
            perform(db, &statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db.get_database_backend())?;
        for statement in self.tables.iter().rev().flat_map(|table| dialect.take_away(table)) {
            perform(db, &statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
