//! The schema as a caller finds it, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod additive;
mod catalog;
mod distribution;
mod failing;
mod list;
mod plan;
mod previous;
mod racing;
mod rules;
mod shape;
mod standing;
mod support;
