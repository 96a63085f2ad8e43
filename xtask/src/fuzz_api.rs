//! The running server against the description of its API, by schemathesis: a throw-away database, the development build,
//! and requests that the description makes up.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::cargo;
use crate::ci::Verdict;
use crate::clock::now;
use crate::process::{self, Outcome, Signals};
use crate::say::say;

/// What findings mean changes with it, so it does not change by itself.
const PACKAGE: &str = "schemathesis==4.32.5";
const FOLDER: &str = "xtask/api-fuzzer";
/// The server has to end within 10 s.
const PATIENCE: Duration = Duration::from_secs(15);
/// No budgets and cheap hashes, or these would be all that is tested.
const SETTINGS: [(&str, &str); 5] = [
    // The one in `schemathesis.toml`.
    ("BACKEND_SEED_ADMIN_PASSWORD", "correct horse 47 battery"),
    ("BACKEND_RATE_LIMIT_ENABLED", "false"),
    ("BACKEND_BCRYPT_COST", "4"),
    ("BACKEND_LOG_FILE", "server.log"),
    ("BACKEND_HOST", "127.0.0.1"),
];

/// Runs it; `cases` requests of each kind for each operation.
pub(crate) fn check(cases: u32, seed: Option<u128>, signals: &Signals) -> anyhow::Result<Verdict> {
    let Some(tool) = tool(signals) else { return Ok(Verdict::NotChecked) };
    let args = ["-p", "sme-pulse-api", "--bin", "sme-pulse"];
    let built = cargo::build(&args, &["sme-pulse"], signals)?;
    let Some(program) = built.and_then(|mut paths| paths.pop()) else { bail!("the build was stopped") };
    let home = tempfile::tempdir().context("cannot make a folder for the server")?;
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr())?.port();
    for step in ["migrate", "seed"] {
        let mut command = server(&program, &home, port)?;
        if process::run(command.arg(step), signals)? != Outcome::Exited(0) {
            bail!("{step} failed: {}", said(&home));
        }
    }
    let mut serving = Serving(Some(process::spawn(server(&program, &home, port)?.arg("serve"))?));
    let findings = ask(&tool, &home, port, (cases, seed), signals)?;
    let ended = serving.end(signals).with_context(|| said(&home))?;
    if ended != Outcome::Exited(0) && !signals.stop_requested() {
        bail!("the server {}: {}", ended.describe(), said(&home));
    }
    let log = fs::read_to_string(home.path().join("server.log")).context("the server has no log")?;
    let faults: Vec<_> = log.lines().filter(|line| line.contains("\"level\":50")).collect();
    faults.iter().take(5).for_each(|line| say(format_args!("the server's log: {line}")));
    Ok(Verdict::of(findings == Outcome::Exited(0) && faults.is_empty()))
}

fn ask(
    tool: &Path,
    home: &TempDir,
    port: u16,
    (cases, seed): (u32, Option<u128>),
    signals: &Signals,
) -> anyhow::Result<Outcome> {
    let folder = cargo::root().join(FOLDER);
    let mut command = Command::new(tool);
    command
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("http://127.0.0.1:{port}/openapi.json"), "--wait-for-schema", "20"])
        .args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color"])
        .args(["--max-examples", &cases.to_string()])
        .args(seed.map(|seed| format!("--seed={seed}")))
        // It keeps what it has found in the folder it runs in.
        .current_dir(home.path())
        .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    process::run(&mut command, signals)
}

/// The program of schemathesis, installed below `target` unless it is there; `None`, with the reason printed, where it cannot be.
fn tool(signals: &Signals) -> Option<PathBuf> {
    let folder = cargo::root().join("target").join(PACKAGE.replace("==", "-"));
    let tool = folder.join("bin/schemathesis");
    if tool.is_file() {
        return Some(tool);
    }
    say(format_args!("installing {PACKAGE}"));
    let installed = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder), signals)
        && succeeds(Command::new(folder.join("bin/pip")).args(["install", "--quiet", PACKAGE]), signals);
    if installed {
        return Some(tool);
    }
    say(format_args!(
        "NOT CHECKED: {PACKAGE} cannot be installed; it needs python3 with venv (Debian: `python3-venv`) and a package index"
    ));
    // Half of it would look like all of it the next time.
    fs::remove_dir_all(&folder).ok();
    None
}

fn succeeds(command: &mut Command, signals: &Signals) -> bool {
    process::run(command, signals).is_ok_and(|outcome| outcome == Outcome::Exited(0))
}

/// The program in its own folder, without settings from outside, its log in files there.
fn server(program: &Path, home: &TempDir, port: u16) -> anyhow::Result<Command> {
    let output = File::options().create(true).append(true).open(home.path().join("output.log"))?;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("BACKEND_") || text.starts_with("OTEL_") || text == "DATABASE_URL" || text == "REDIS_URL" {
            command.env_remove(&name);
        }
    }
    command.envs(SETTINGS).env("BACKEND_PORT", port.to_string()).current_dir(home.path());
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    Ok(command)
}

fn said(home: &TempDir) -> String {
    fs::read_to_string(home.path().join("output.log")).unwrap_or_default()
}

/// The server, which does not outlive this.
struct Serving(Option<Child>);

impl Serving {
    /// Asks it to stop, and kills it where it does not.
    fn end(&mut self, signals: &Signals) -> anyhow::Result<Outcome> {
        let mut child = self.0.take().context("the server has been stopped before")?;
        if let Some(status) = child.try_wait()? {
            bail!("the server has ended by itself with {status}");
        }
        // It may have ended in this very moment.
        let _ = rustix::process::kill_process(Pid::from_child(&child), Signal::TERM);
        process::wait(child, signals, now().checked_add(PATIENCE), || {})
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
