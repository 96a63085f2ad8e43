//! The generated documents: a test of the API knows how to write them, and fails when they are stale.

use crate::cargo;
use crate::ci::Verdict;
use crate::process::{self, Outcome, Signals};

const TEST: &[&str] = &["test", "--quiet", "-p", "sme-pulse-api", "--test", "documents", "the_generated"];

/// Writes them anew.
pub(crate) fn write(signals: &Signals) -> anyhow::Result<u8> {
    Ok(process::run(cargo::command(TEST).env("UPDATE_DOCUMENTS", "1"), signals)?.code())
}

/// Fails when one is stale.
pub(crate) fn check(signals: &Signals) -> anyhow::Result<Verdict> {
    let outcome = process::run(cargo::command(TEST).env_remove("UPDATE_DOCUMENTS"), signals)?;
    Ok(Verdict::of(outcome == Outcome::Exited(0)))
}
