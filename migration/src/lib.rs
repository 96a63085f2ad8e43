//! The schema of SME Pulse: one ordered list of reversible changes for SQLite and PostgreSQL.
//!
//! To add a change: write `m<date>_<number>_<what>.rs` beside the others, with a way down, in strings rather than
//! entities (which will change), sent by [`perform`], and append it to [`Migrator`]. Changes are additive, so that the binary
//! before still runs on the schema after.

mod applied;
mod change;
mod dialect;
mod error;
mod exclusive;
mod fresh;
mod m20261122_000001_schemas;
mod m20261122_000002_core;
mod m20261122_000003_finance_partners;
mod m20261122_000004_finance_documents;
mod m20261122_000005_analytics;
mod m20261122_000006_auth;
mod m20261122_000007_change_notices;
mod m20261122_000008_quieter_notices;
mod m20261122_000009_second_factor;
mod m20261122_000010_guess_counters;
mod m20261122_000011_audit_evidence;
mod m20261122_000012_memberships;
mod m20261122_000013_invitations;
mod m20261122_000014_sign_ups;
mod m20261122_000015_row_level_security;
mod m20261122_000016_given_passwords;
mod m20261122_000017_revocations;
mod m20261122_000018_signing_keys;
mod m20261122_000019_api_keys;
mod perform;
mod plan;
mod run;
mod runtime_role;
mod table;

pub use applied::Standing;
pub use error::MigrateError;
pub use perform::perform;
pub use plan::{Plan, PlannedChange, TableLock, plan, plan_from_nothing, plan_list};
pub use run::{down, fresh, pending, standing, status, up, up_list};
pub use runtime_role::{Missing, RUNTIME_ROLE, prepare_runtime_role};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// The list, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_schemas::Schemas),
            Box::new(m20261122_000002_core::CHANGE),
            Box::new(m20261122_000003_finance_partners::CHANGE),
            Box::new(m20261122_000004_finance_documents::CHANGE),
            Box::new(m20261122_000005_analytics::CHANGE),
            Box::new(m20261122_000006_auth::CHANGE),
            Box::new(m20261122_000007_change_notices::ChangeNotices),
            Box::new(m20261122_000008_quieter_notices::QuieterNotices),
            Box::new(m20261122_000009_second_factor::SecondFactor),
            Box::new(m20261122_000010_guess_counters::CHANGE),
            Box::new(m20261122_000011_audit_evidence::AuditEvidence),
            Box::new(m20261122_000012_memberships::Memberships),
            Box::new(m20261122_000013_invitations::CHANGE),
            Box::new(m20261122_000014_sign_ups::CHANGE),
            Box::new(m20261122_000015_row_level_security::RowLevelSecurity),
            Box::new(m20261122_000016_given_passwords::GivenPasswords),
            Box::new(m20261122_000017_revocations::Revocations),
            Box::new(m20261122_000018_signing_keys::SigningKeys),
            Box::new(m20261122_000019_api_keys::ApiKeys),
        ]
    }
}
