//! The files of `deploy/` by the tools that read them: the proxy's configuration, the systemd units, and every YAML file.

use std::fs;
use std::process::Command;

use anyhow::Context as _;

use crate::cargo;
use crate::ci::Verdict;
use crate::process::{self, Outcome, Signals};
use crate::say::say;

const YAML_RULES: &str = "{extends: default, rules: {line-length: disable, document-start: disable, braces: disable}}";
/// Where the units expect the program; `systemd-analyze` wants it to be there.
const PROGRAM: &str = "/usr/local/bin/sme-pulse";
const ANY_PROGRAM: &str = "/bin/true";

/// Runs every check whose tool is installed.
pub(crate) fn check(signals: &Signals) -> anyhow::Result<Verdict> {
    let units = units().context("cannot copy the systemd units")?;
    let verify: Vec<_> = ["verify", "--man=no"].into_iter().chain(units.iter().map(String::as_str)).collect();
    let checks: [(&str, &str, &str, &[&str]); 3] = [
        ("haproxy", "-v", "haproxy", &["-c", "-f", "deploy/haproxy/haproxy.cfg"]),
        ("systemd-analyze", "--version", "systemd", &verify),
        ("yamllint", "--version", "yamllint", &["--strict", "-d", YAML_RULES, "deploy"]),
    ];
    let mut all = Verdict::Passed;
    for (tool, version, package, args) in checks {
        let known = Command::new(tool).arg(version).output();
        if !known.is_ok_and(|output| output.status.success()) {
            say(format_args!("NOT CHECKED: {tool} is not installed (Debian: `{package}`)"));
            if all == Verdict::Passed {
                all = Verdict::NotChecked;
            }
            continue;
        }
        let mut command = Command::new(tool);
        command.args(args).current_dir(cargo::root());
        if process::run(&mut command, signals)? != Outcome::Exited(0) {
            say(format_args!("error: {tool} has refused what is above"));
            all = Verdict::Failed;
        }
    }
    Ok(all)
}

/// Copies of the units that name a program which every machine has; their paths.
fn units() -> anyhow::Result<Vec<String>> {
    let to = cargo::root().join("target/deployment");
    fs::create_dir_all(&to)?;
    let mut copies = Vec::new();
    for entry in fs::read_dir(cargo::root().join("deploy"))? {
        let from = entry?.path();
        let unit = from.extension().is_some_and(|extension| extension == "service" || extension == "timer");
        if let (true, Some(name)) = (unit, from.file_name()) {
            let copy = to.join(name);
            fs::write(&copy, fs::read_to_string(&from)?.replace(PROGRAM, ANY_PROGRAM))?;
            copies.push(copy.display().to_string());
        }
    }
    anyhow::ensure!(!copies.is_empty(), "there are none");
    Ok(copies)
}
