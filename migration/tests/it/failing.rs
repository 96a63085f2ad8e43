//! A migration that breaks half-way leaves the database as it was.

use sea_orm_migration::prelude::{
    ConnectionTrait, DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait,
};
use sme_pulse_migration::{MigrateError, Migrator, pending, up, up_list};
use sme_pulse_testing::{TestDatabase, on_both_databases};

use crate::catalog::catalog;
use crate::support::{all, furnished, lock, texts};

/// Changes rows, makes a table, and then asks for the impossible.
struct Broken;

impl MigrationName for Broken {
    fn name(&self) -> &'static str {
        "m20990101_000001_broken"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Broken {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("CREATE TABLE half (id INTEGER PRIMARY KEY)").await?;
        db.execute_unprepared("UPDATE organizations SET name = 'Half'").await?;
        db.execute_unprepared("ALTER TABLE nowhere ADD COLUMN half INTEGER").await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

struct WithBroken;

impl MigratorTrait for WithBroken {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = Migrator::migrations();
        all.push(Box::new(Broken));
        all
    }
}

fn names_the_broken_one(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Failed { name, .. } if name == "m20990101_000001_broken")
}

on_both_databases! {
    async fn a_failing_migration_leaves_schema_rows_and_list_as_they_were(db: TestDatabase) {
        let connection = furnished(&db).await;
        let before = catalog(&connection).await;
        let error = up_list::<WithBroken>(&connection, lock(&db).as_deref()).await.unwrap_err();
        assert!(names_the_broken_one(&error), "{error:?}");
        assert_eq!(catalog(&connection).await, before);
        assert_eq!(texts(&connection, "SELECT name FROM organizations ORDER BY id").await, ["One", "Two"]);
        assert_eq!(texts(&connection, "SELECT version FROM seaql_migrations").await.len(), all());
    }

    async fn a_failing_migration_takes_the_good_ones_of_the_same_call_with_it(db: TestDatabase) {
        let connection = db.connect().await;
        let before = catalog(&connection).await;
        let error = up_list::<WithBroken>(&connection, lock(&db).as_deref()).await.unwrap_err();
        assert!(names_the_broken_one(&error), "{error:?}");
        assert_eq!(catalog(&connection).await, before);
        assert_eq!(pending(&connection).await.unwrap(), all());
        assert_eq!(up(&connection, lock(&db).as_deref()).await.unwrap().len(), all(), "and a retry works");
    }
}

#[tokio::test]
async fn a_lock_file_that_cannot_be_made_is_named_in_the_error() {
    let db = TestDatabase::sqlite();
    let path = db.folder().unwrap().join("missing").join("lock");
    let error = up(&db.connect().await, Some(&path)).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Lock { path: named, .. } if *named == path), "{error:?}");
}
