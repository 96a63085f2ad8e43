//! `plan`: it tells what `up` does, takes the locks it names for a moment only, and changes nothing.

use std::time::Duration;

use sea_orm_migration::prelude::{DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use sme_pulse_migration::{MigrateError, Migrator, down, pending, perform, plan, plan_from_nothing, plan_list, up};
use sme_pulse_testing::{Engine, TestDatabase, on_both_databases};

use crate::catalog::catalog;
use crate::support::{all, furnished, lock, run, texts};

/// Adds a column to a table of the first migrations.
struct Later;

impl MigrationName for Later {
    fn name(&self) -> &'static str {
        "m20990101_000001_later"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Later {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        perform(manager.get_connection(), "ALTER TABLE customers ADD COLUMN later INTEGER").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

struct WithLater;

impl MigratorTrait for WithLater {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = Migrator::migrations();
        all.push(Box::new(Later));
        all
    }
}

on_both_databases! {
    async fn run_by_hand_a_plan_does_what_up_does(db: TestDatabase) {
        let connection = db.connect_with(1).await;
        up(&connection, lock(&db).as_deref()).await.unwrap();
        let by_up = catalog(&connection).await;
        down(&connection, lock(&db).as_deref(), None).await.unwrap();
        run(&connection, "DROP TABLE seaql_migrations").await.unwrap();

        let told = plan(&connection).await.unwrap();
        assert_eq!(told.changes.len(), all());
        connection.execute_unprepared(&told.to_string()).await.unwrap();
        assert_eq!(catalog(&connection).await, by_up);
        assert_eq!(pending(&connection).await.unwrap(), 0);
    }

    async fn a_plan_holds_what_is_pending_and_changes_nothing(db: TestDatabase) {
        let connection = furnished(&db).await;
        assert_eq!(plan(&connection).await.unwrap().to_string(), "-- Nothing is pending.\n");
        down(&connection, lock(&db).as_deref(), Some(2)).await.unwrap();
        let before = catalog(&connection).await;
        let told = plan(&connection).await.unwrap();
        let names: Vec<String> = told.changes.iter().map(|change| change.name.clone()).collect();
        let newest = Migrator::migrations().into_iter().skip(all() - 2);
        assert_eq!(names, newest.map(|migration| migration.name().to_owned()).collect::<Vec<_>>());
        assert_eq!((catalog(&connection).await, pending(&connection).await.unwrap()), (before, 2));
        // On one connection: begin and commit are in the text.
        db.connect_with(1).await.execute_unprepared(&told.to_string()).await.unwrap();
        assert_eq!(pending(&connection).await.unwrap(), 0);
        assert_eq!(texts(&connection, "SELECT name FROM customers ORDER BY id").await, ["C1", "C2"]);
    }

    async fn a_plan_names_the_locks_on_tables_that_are_there(db: TestDatabase) {
        let connection = furnished(&db).await;
        let told = plan_list::<WithLater>(&connection).await.unwrap();
        let change = told.changes.first().unwrap();
        assert_eq!(change.statements, ["ALTER TABLE customers ADD COLUMN later INTEGER"]);
        let locks: Vec<_> = change.locks.iter().map(|lock| (lock.table.as_str(), lock.mode.as_str())).collect();
        let text = told.to_string();
        match db.engine() {
            Engine::Postgres => {
                assert_eq!(locks, [("finance.customers", "AccessExclusiveLock")]);
                let line = "--   finance.customers AccessExclusiveLock: readers and writers wait\n";
                assert!(text.contains(line), "{text}");
            }
            Engine::Sqlite => {
                assert!(locks.is_empty());
                assert!(text.contains("-- Locks: the one write lock of the file"), "{text}");
            }
        }
    }

    async fn a_plan_waits_for_nobody_long_and_says_so(db: TestDatabase) {
        let connection = furnished(&db).await;
        let other = connection.begin().await.unwrap();
        if db.engine() == Engine::Sqlite {
            // Not even a writer is in its way.
            run(&other, "UPDATE customers SET name = 'busy'").await.unwrap();
            assert_eq!(plan_list::<WithLater>(&connection).await.unwrap().changes.len(), 1);
            return;
        }
        texts(&other, "SELECT name FROM customers").await;
        let asked = tokio::time::timeout(Duration::from_secs(20), plan_list::<WithLater>(&connection)).await;
        let refused = asked.unwrap().unwrap_err();
        let named = |name: &Option<String>| name.as_deref() == Some("m20990101_000001_later");
        assert!(matches!(&refused, MigrateError::Held { name } if named(name)), "{refused:?}");
        other.rollback().await.unwrap();
        assert_eq!(plan_list::<WithLater>(&connection).await.unwrap().changes.len(), 1, "and later it works");
    }

    async fn on_a_later_schema_nothing_is_pending_and_the_plan_says_why(db: TestDatabase) {
        let connection = furnished(&db).await;
        run(&connection, "INSERT INTO seaql_migrations VALUES ('m20990101_000001_later', 0)").await.unwrap();
        let told = plan(&connection).await.unwrap().to_string();
        assert!(told.contains("newer than this program: m20990101_000001_later."), "{told}");
        run(&connection, "DELETE FROM seaql_migrations WHERE version LIKE '%api_keys'").await.unwrap();
        let refused = plan(&connection).await.unwrap_err();
        assert!(matches!(refused, MigrateError::Unknown(_)), "{refused}");
    }
}

#[tokio::test]
async fn a_file_that_does_not_exist_has_the_plan_of_an_empty_one() {
    let db = TestDatabase::sqlite();
    assert_eq!(plan_from_nothing().await.unwrap(), plan(&db.connect().await).await.unwrap());
}

/// What is sent in another way is in no plan.
#[test]
fn migrations_send_everything_by_perform() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        path.is_file() && (name.starts_with("m2") || name == "change.rs")
    });
    assert!(files.len() > all(), "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for way in ["execute_unprepared", "execute_raw", ".execute(", "manager.create", "manager.alter", "manager.drop"]
        {
            assert!(!text.contains(way), "{} sends by {way}", file.display());
        }
    }
}
