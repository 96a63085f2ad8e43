//! Many migrators at once, as when replicas start together.

use std::path::PathBuf;

use sea_orm_migration::sea_orm::DatabaseConnection;
use sme_pulse_migration::{fresh, pending, up};
use sme_pulse_testing::{TestDatabase, on_both_databases};

use crate::catalog::catalog;
use crate::support::{all, lock, texts};

/// Eight at once, each with a pool of its own; returns how many migrations each applied.
async fn race(db: &TestDatabase, lock: Option<PathBuf>) -> (DatabaseConnection, Vec<usize>) {
    let mut racers = Vec::new();
    for _ in 0..8 {
        let (connection, lock) = (db.connect_with(2).await, lock.clone());
        racers.push(tokio::spawn(async move { up(&connection, lock.as_deref()).await }));
    }
    let mut applied = Vec::new();
    for racer in racers {
        applied.push(racer.await.unwrap().unwrap().len());
    }
    applied.sort_unstable();
    (db.connect().await, applied)
}

on_both_databases! {
    async fn eight_migrators_at_once_all_succeed_and_one_of_them_works(db: TestDatabase) {
        let (connection, applied) = race(&db, lock(&db)).await;
        assert_eq!(applied, [0, 0, 0, 0, 0, 0, 0, all()]);
        assert_eq!(pending(&connection).await.unwrap(), 0);
        assert_eq!(texts(&connection, "SELECT version FROM seaql_migrations").await.len(), all());
    }

    async fn eight_migrators_without_a_lock_file_all_succeed_too(db: TestDatabase) {
        let (_, applied) = race(&db, None).await;
        assert_eq!(applied, [0, 0, 0, 0, 0, 0, 0, all()]);
    }

    async fn fresh_beside_up_leaves_the_whole_schema(db: TestDatabase) {
        let (connection, _) = race(&db, lock(&db)).await;
        let whole = catalog(&connection).await;
        let mut racers = Vec::new();
        for index in 0..6 {
            let (connection, lock) = (db.connect_with(2).await, lock(&db));
            racers.push(tokio::spawn(async move {
                if index % 2 == 0 { fresh(&connection, lock.as_deref()).await } else { up(&connection, lock.as_deref()).await }
            }));
        }
        for racer in racers {
            racer.await.unwrap().unwrap();
        }
        assert_eq!(catalog(&connection).await, whole);
    }
}
