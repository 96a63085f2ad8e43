//! Runs one test body on one engine. It knows nothing of what the body needs beyond its database.

use std::future::Future;

use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::TestDatabase;

/// What a test asks for as its argument: the database itself, or a thing that starts on one.
pub trait Fixture: Sized {
    /// Starts on a new, empty database, which must live as long as the fixture does.
    fn on(database: TestDatabase) -> impl Future<Output = Self>;
}

impl Fixture for TestDatabase {
    async fn on(database: TestDatabase) -> Self {
        database
    }
}

/// Runs `test` on a new SQLite file.
pub fn on_sqlite<F: Fixture, T: Future<Output = ()>>(test: impl FnOnce(F) -> T) {
    block_on(async { test(F::on(TestDatabase::sqlite()).await).await });
}

/// Runs `test` on a new PostgreSQL database, or says that it was skipped.
pub fn on_postgres<F: Fixture, T: Future<Output = ()>>(test: impl FnOnce(F) -> T) {
    let mut removal = None;
    block_on(async {
        if let Some(mut database) = TestDatabase::postgres().await {
            removal = database.take_removal();
            test(F::on(database).await).await;
        }
    });
    // After the runtime, and with it every connection that was still being opened.
    drop(removal);
}

/// A runtime of its own, so that nothing a test leaves running outlives it.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => LocalSet::new().block_on(&runtime, work),
        Err(error) => panic!("no runtime for the test: {error}"),
    }
}
