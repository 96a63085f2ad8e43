//! The schema as a caller finds it, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod catalog;
mod failing;
mod list;
mod racing;
mod rules;
mod shape;
mod standing;
mod support;
