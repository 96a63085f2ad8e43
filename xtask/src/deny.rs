//! Licences, banned crates, sources and advisories by `cargo deny`. What could not be looked at is said, never passed
//! over.

use std::time::Duration;

use crate::cargo;
use crate::ci::Verdict;
use crate::process::{self, Outcome, Signals};
use crate::say::say;

/// A refused connection ends at once; a silent one must not hold everything up.
const FETCH_LIMIT: Duration = Duration::from_mins(2);
/// Everything that needs no network.
pub(crate) fn check(signals: &Signals) -> anyhow::Result<Verdict> {
    if let Some(missing) = missing() {
        return Ok(missing);
    }
    let mut check = cargo::command(&["deny", "--workspace", "--all-features", "--locked", "check"]);
    check.args(["--hide-inclusion-graph", "bans", "licenses", "sources"]);
    Ok(Verdict::of(process::run(&mut check, signals)? == Outcome::Exited(0)))
}

/// Known vulnerabilities, against the public advisory database as it is now.
pub(crate) fn advisories(signals: &Signals) -> anyhow::Result<Verdict> {
    if let Some(missing) = missing() {
        return Ok(missing);
    }
    let mut fetch = cargo::command(&["deny", "fetch", "db"]);
    if process::run_within(&mut fetch, signals, FETCH_LIMIT)? != Outcome::Exited(0) {
        say("advisories were NOT CHECKED: the advisory database could not be fetched");
        return Ok(Verdict::NotChecked);
    }
    let mut check = cargo::command(&["deny", "--workspace", "--all-features", "--locked", "--offline"]);
    check.args(["check", "advisories"]);
    Ok(Verdict::of(process::run(&mut check, signals)? == Outcome::Exited(0)))
}

fn missing() -> Option<Verdict> {
    if cargo::has("deny") {
        return None;
    }
    say("cargo-deny is not installed: `cargo install --locked cargo-deny`");
    Some(if std::env::var_os("CI").is_some() { Verdict::Failed } else { Verdict::NotChecked })
}
