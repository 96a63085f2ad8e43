//! A database of its own for every test, on both engines, and the macro that runs a test on each of them.
//!
//! SQLite needs nothing. PostgreSQL needs `TEST_POSTGRES_URL`, the address of a cluster whose role may create
//! databases; without it that half is skipped with one line, and with `CI=true` it fails. So it is with tests that start a Redis
//! server.
#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "only tests call this crate, and a test fails by panicking"
)]

mod database;
mod redis;
mod run;

pub use database::{Engine, TestDatabase};
pub use redis::RedisServer;
pub use run::{Fixture, on_postgres, on_sqlite};

/// Turns each `async fn name(x: Fixture)` into the tests `name::sqlite` and `name::postgres`.
///
/// The argument is a [`TestDatabase`] or any other [`Fixture`]. The body runs on a current-thread Tokio runtime in
/// which `spawn_local` works too.
///
/// ```
/// use sme_pulse_testing::{TestDatabase, on_both_databases};
///
/// on_both_databases! {
///     async fn a_new_database_answers(db: TestDatabase) {
///         db.connect().await.ping().await.unwrap();
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($($arg:tt)+) $body:block)+) => {
        $(
            $(#[$meta])*
            async fn $name($($arg)+) $body

            mod $name {
                #[test]
                fn sqlite() {
                    $crate::on_sqlite(super::$name);
                }

                #[test]
                fn postgres() {
                    $crate::on_postgres(super::$name);
                }
            }
        )+
    };
}
