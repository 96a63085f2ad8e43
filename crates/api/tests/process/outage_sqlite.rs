//! The embedded file in the hands of another writer, and the settings of every connection to it.

use std::{sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, prlimit};
use sea_orm::{ConnectionTrait as _, Statement, TransactionTrait as _};
use sme_pulse_api::random::SystemRng;
use sme_pulse_persistence::{DatabaseSettings, Store};

use crate::support::{Home, assert_clean_unavailable, assert_unbroken_audit_trail, until};

#[tokio::test]
async fn a_locked_file_delays_a_log_in_then_refuses_it_and_heals() {
    let home = Home::sqlite().await;
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let server = home.serve().await;
    let token = server.log_in().await.token();
    let other = home.database().connect_with(1).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();

    let (log_in, ()) = tokio::join!(server.log_in(), async {
        // Readers are not in its way, and neither is what needs no database.
        assert_eq!(server.me(&token).await.status, 200);
        assert_eq!(server.get("/health/ready").await.status, 200);
        assert_eq!(server.get("/health").await.status, 200);
    });
    assert_clean_unavailable(&log_in);
    assert_eq!(home.numbers("SELECT COUNT(*) FROM auth.sessions").await, [1]);

    // One that is waiting when the lock goes is served.
    let (log_in, ()) = tokio::join!(server.log_in(), async {
        until("the log-in has arrived", Duration::from_secs(10), async || {
            (server.get("/health").await.status == 200).then_some(())
        })
        .await;
        other.execute_unprepared("ROLLBACK").await.unwrap();
    });
    assert_eq!(log_in.status, 200);
    other.close().await.unwrap();
}

/// A limit on the size of files stands for the disk: a write beyond it fails.
#[tokio::test]
async fn a_full_disk_is_a_clean_refusal_and_heals() {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_LOG_FILE", "");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let mut server = home.serve_ignoring_file_size_signals().await;
    let token = server.log_in().await.token();
    let unlimited =
        prlimit(Some(server.pid()), Resource::Fsize, Rlimit { current: Some(4096), maximum: None }).unwrap();
    for _ in 0..3 {
        assert_clean_unavailable(&server.log_in().await);
        assert_eq!(server.me(&token).await.status, 200);
        assert_eq!(server.get("/health").await.status, 200);
    }
    prlimit(Some(server.pid()), Resource::Fsize, unlimited).unwrap();
    assert_eq!(server.log_in().await.status, 200);
    server.stop().await;
    home.assert_intact().await;
    assert_eq!(assert_unbroken_audit_trail(&home).await, 3);
    assert_eq!(home.numbers("SELECT COUNT(*) FROM auth.sessions").await, [2]);
}

#[tokio::test]
async fn every_connection_of_the_product_has_its_settings() {
    let home = Home::sqlite().await;
    let path = home.database().file().unwrap();
    let store = Store::open(&DatabaseSettings::Sqlite { path }, Arc::new(SystemRng)).await.unwrap();
    let mut held = Vec::new();
    // Each transaction holds a connection, so these are all of the pool.
    for _ in 0..8 {
        held.push(store.raw().begin().await.unwrap());
    }
    for connection in &held {
        for (pragma, value) in [("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", 5000)] {
            let statement = Statement::from_string(store.raw().get_database_backend(), format!("PRAGMA {pragma}"));
            let row = connection.query_one_raw(statement).await.unwrap().unwrap();
            assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), value, "{pragma}");
        }
        let statement = Statement::from_string(store.raw().get_database_backend(), "PRAGMA journal_mode");
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "wal");
    }
}
