//! Calls of cargo: which one, from where, and where its results lie.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow, bail};

use crate::postgres::{Cluster, Commits};
use crate::process::{self, Outcome, Signals};
use crate::say::say;

/// The workspace, wherever the command was typed. Asked of the cargo that runs this program, because two checkouts that
/// share a target folder share this program as well, and it would work on the one it was compiled in.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&here).ancestors().nth(1).unwrap_or(Path::new(".")).to_owned()
    })
}

/// The cargo that runs this program, in the workspace.
pub(crate) fn command(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// True when the subcommand is installed.
pub(crate) fn has(subcommand: &str) -> bool {
    command(&[subcommand, "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Builds with visible progress and returns the executables, as cargo names them, so that any target directory works.
/// `None` after Ctrl-C.
pub(crate) fn build(args: &[&str], names: &[&str], signals: &Signals) -> anyhow::Result<Option<Vec<PathBuf>>> {
    let mut cargo = command(&["build", "--message-format=json-render-diagnostics"]);
    let mut child = process::spawn(cargo.args(args).stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let output = child.stdout.take().context("cargo has no output")?;
    // A thread reads, so that signals are passed on while cargo compiles.
    let reader = std::thread::spawn(move || executables(output));
    let outcome = process::wait(child, signals, None, || {})?;
    if signals.stop_requested() {
        return Ok(None);
    }
    if outcome != Outcome::Exited(0) {
        bail!("the build failed with {}", outcome.describe());
    }
    let found = reader.join().map_err(|_| anyhow!("the reader of cargo's messages panicked"))??;
    let executable = |wanted: &&str| {
        let hit = found.iter().find(|(name, _)| name == *wanted);
        hit.map(|(_, path)| path.clone()).with_context(|| format!("cargo built no executable named {wanted}"))
    };
    names.iter().map(executable).collect::<anyhow::Result<Vec<_>>>().map(Some)
}

/// Name and path of every executable in cargo's JSON messages.
fn executables(messages: impl Read) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for line in BufReader::new(messages).lines() {
        let line = line.context("cannot read cargo's messages")?;
        let Ok(message) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        let name = message.pointer("/target/name").and_then(serde_json::Value::as_str);
        let executable = message.get("executable").and_then(serde_json::Value::as_str);
        if let (Some(name), Some(executable)) = (name, executable) {
            found.push((name.to_owned(), PathBuf::from(executable)));
        }
    }
    Ok(found)
}

/// Builds product, floors and benchmark in release, then measures.
pub(crate) fn bench(args: &[String], signals: &Signals) -> anyhow::Result<u8> {
    say("building the release binaries; the first time takes some minutes");
    let packages = ["--release", "--bins", "-p", "sme-pulse-api", "-p", "sme-pulse-bench"];
    let names = ["sme-pulse", "sme-pulse-bench", "sme-pulse-floor"];
    let Some(built) = build(&packages, &names, signals)? else { return Ok(130) };
    let [product, bench, floor] = built.as_slice() else { bail!("cargo named too few executables") };
    let mut command = Command::new(bench);
    command.arg("--product").arg(product).arg("--floor").arg(floor).args(args).current_dir(root());
    let all_rows = !args.iter().any(|arg| arg.starts_with("--only"));
    let on_postgres = |arg: &String| ["refresh", "lists", "walls", "capacity"].iter().any(|row| arg.ends_with(row));
    let cluster =
        if all_rows || args.iter().any(on_postgres) { Cluster::start(Commits::Durable, signals)? } else { None };
    if let Some((cluster, pgbench)) = cluster.as_ref().and_then(|cluster| Some((cluster, cluster.program("pgbench")?)))
    {
        command.arg("--postgres").arg(cluster.url()).arg("--pgbench").arg(pgbench);
    }
    Ok(process::run(&mut command, signals)?.code())
}

/// The script that mutates a copy of this repository; it calls cargo itself.
pub(crate) fn mutate_tenancy(args: &[String], signals: &Signals) -> anyhow::Result<u8> {
    let mut command = Command::new("python3");
    command.arg("xtask/mutate_tenancy.py").args(args).current_dir(root());
    Ok(process::run(&mut command, signals)?.code())
}
