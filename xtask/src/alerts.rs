//! The alert rules, by Prometheus' own tool: that they can be loaded, and that each comes when it should and not otherwise.

use std::process::Command;

use crate::cargo;
use crate::ci::Verdict;
use crate::process::{self, Outcome, Signals};
use crate::say::say;

const TOOL: &str = "promtool";
const CHECKS: [&[&str]; 3] =
    [&["check", "config", "prometheus.yml"], &["check", "rules", "rules.yml"], &["test", "rules", "rules.test.yml"]];

/// Runs the checks in the folder of the rules.
pub(crate) fn check(signals: &Signals) -> anyhow::Result<Verdict> {
    let known = Command::new(TOOL).arg("--version").output();
    if !known.is_ok_and(|output| output.status.success()) {
        say("the alert rules were NOT CHECKED: promtool is not installed (Debian: `prometheus`)");
        return Ok(Verdict::NotChecked);
    }
    for args in CHECKS {
        let mut command = Command::new(TOOL);
        command.args(args).current_dir(cargo::root().join("deploy/prometheus"));
        if process::run(&mut command, signals)? != Outcome::Exited(0) {
            return Ok(Verdict::Failed);
        }
    }
    Ok(Verdict::Passed)
}
