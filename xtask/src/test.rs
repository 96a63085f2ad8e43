//! All tests on both engines: SQLite needs nothing, PostgreSQL is the one named by `TEST_POSTGRES_URL` or a
//! throw-away cluster. Tests of shared limits start Redis servers by themselves, if one is installed.

use std::process::Command;

use crate::cargo;
use crate::postgres::{Cluster, Commits};
use crate::process::{self, Outcome, Signals};
use crate::say::say;

const URL: &str = "TEST_POSTGRES_URL";

/// Where the PostgreSQL half of the tests finds its server.
pub(crate) enum Engine {
    Given,
    Own(Cluster),
    Missing,
}

/// Runs the documentation tests, then the others; `args` go to the runner, and with any the documentation tests are
/// left out. The answer is the exit code of the first that failed.
pub(crate) fn run(args: &[String], signals: &Signals) -> anyhow::Result<u8> {
    let engine = engine(signals)?;
    if signals.stop_requested() {
        return Ok(Outcome::Stopped.code());
    }
    let outcome = run_on(&engine, args, signals)?;
    if outcome == Outcome::Stopped {
        return Ok(outcome.code());
    }
    let verdict = match outcome {
        Outcome::Exited(0) => "passed".to_owned(),
        _ => format!("FAILED with {}", outcome.describe()),
    };
    let redis = redis_installed();
    say(format_args!("\ntests {verdict}\nSQLite half: needs no server\nPostgreSQL half: {}", engine.describe()));
    say(format_args!(
        "Redis: {}",
        if redis { "servers of their own" } else { "DID NOT RUN: redis-server is not on PATH" }
    ));
    if (matches!(engine, Engine::Missing) || !redis) && in_ci() {
        say("error: with CI=true everything has to run");
        return Ok(outcome.code().max(1));
    }
    Ok(outcome.code())
}

pub(crate) fn engine(signals: &Signals) -> anyhow::Result<Engine> {
    if std::env::var_os(URL).is_some_and(|url| !url.is_empty()) {
        return Ok(Engine::Given);
    }
    say("starting a throw-away PostgreSQL cluster");
    Ok(Cluster::start(Commits::Forgetful, signals)?.map_or(Engine::Missing, Engine::Own))
}

impl Engine {
    fn describe(&self) -> String {
        match self {
            Self::Given => format!("on the server of {URL}"),
            Self::Own(cluster) => format!("on a throw-away {}", cluster.version()),
            Self::Missing => {
                format!("DID NOT RUN: no PostgreSQL server was found on this machine; install one or set {URL}")
            }
        }
    }

    /// Tells a command where it is.
    pub(crate) fn lend<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match self {
            Self::Given => command,
            Self::Own(cluster) => command.env(URL, cluster.url()),
            Self::Missing => command.env_remove(URL),
        }
    }
}

fn run_on(engine: &Engine, args: &[String], signals: &Signals) -> anyhow::Result<Outcome> {
    let mut first = Outcome::Exited(0);
    for mut command in commands(args) {
        let outcome = process::run(engine.lend(&mut command), signals)?;
        if signals.stop_requested() {
            return Ok(Outcome::Stopped);
        }
        if first == Outcome::Exited(0) {
            first = outcome;
        }
    }
    Ok(first)
}

/// The documentation tests come first, so that the runner's summary stands at the end.
fn commands(args: &[String]) -> Vec<Command> {
    let nextest = cargo::has("nextest");
    let mut commands = Vec::new();
    if nextest && args.is_empty() {
        commands.push(cargo::command(&["test", "--quiet", "--workspace", "--doc"]));
    }
    let mut tests = cargo::command(if nextest { &["nextest", "run"] } else { &["test"] });
    if !args.iter().any(|arg| arg.starts_with("-p") || arg.starts_with("--package")) {
        tests.arg("--workspace");
    }
    tests.args(args);
    commands.push(tests);
    commands
}

fn redis_installed() -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("redis-server").is_file()))
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
