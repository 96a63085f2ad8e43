//! A migrated and, on demand, seeded store over a database of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use sme_pulse_domain::rng::Rng;
use sme_pulse_persistence::{DatabaseSettings, Store, seed};
use sme_pulse_testing::{Fixture, TestDatabase};

pub(crate) const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuFakeHashThatNobodyVerifiesInHere1";

pub(crate) struct TestStore {
    /// As requests have it: on PostgreSQL under row-level security.
    pub(crate) store: Store,
    /// As the operator has it.
    pub(crate) operator: Store,
    pub(crate) database: TestDatabase,
}

impl Fixture for TestStore {
    async fn on(database: TestDatabase) -> Self {
        let settings = settings(&database);
        let operator = Store::open_for_operator(&settings, counting()).await.unwrap();
        operator.migrate_up().await.unwrap();
        let store = Store::open(&settings, counting()).await.unwrap();
        Self { store, operator, database }
    }
}

impl TestStore {
    pub(crate) async fn seed(&self) -> seed::SeedReport {
        seed::run(&self.operator, HASH, now()).await.unwrap()
    }

    /// The numbers of a query's first column.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        use sea_orm::{ConnectionTrait, Statement};
        let db = self.operator.raw();
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<i64>(0).unwrap()).collect()
    }

    /// A table's name as this engine knows it.
    pub(crate) fn table(&self, schema: &str, name: &str) -> String {
        match self.database.engine() {
            sme_pulse_testing::Engine::Sqlite => name.to_owned(),
            sme_pulse_testing::Engine::Postgres => format!("{schema}.{name}"),
        }
    }
}

pub(crate) fn settings(database: &TestDatabase) -> DatabaseSettings {
    match database.file() {
        Some(path) => DatabaseSettings::Sqlite { path },
        None => DatabaseSettings::Postgres { url: database.url().to_owned(), pool_size: 2, max_overflow: 14 },
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_763_626_530_123_456).unwrap()
}

/// Counts up: unique and repeatable.
struct Counting(AtomicU64);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst).to_be_bytes()[0];
        }
    }
}

pub(crate) fn counting() -> Arc<dyn Rng> {
    Arc::new(Counting(AtomicU64::new(1)))
}
