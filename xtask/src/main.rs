//! `cargo xtask …`: the few commands a developer or a build machine types. It composes other commands and holds no
//! logic of the product; what it runs is the same `sme-pulse` binary that is deployed.

mod alerts;
mod cargo;
mod ci;
mod clock;
mod deny;
mod dependencies;
mod deployment;
mod docs;
mod fuzz_api;
mod package;
mod postgres;
mod process;
mod product;
mod public_api;
mod ready;
mod say;
mod statements;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::ci::Verdict;
use crate::process::Signals;
use crate::product::Product;
use crate::say::say;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Development commands of SME Pulse", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Changes the database schema: up (default), plan, down, status, fresh
    Migrate {
        #[command(flatten)]
        build: Build,
        /// Handed to `sme-pulse migrate`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Writes the demo rows; a second run adds only what is missing
    Seed {
        #[command(flatten)]
        build: Build,
        /// Seed outside development as well
        #[arg(long)]
        force: bool,
    },
    /// Fills the database with demo organizations: `--organizations N --users N --customers N --seed N`
    SeedDemo {
        #[command(flatten)]
        build: Build,
        /// Handed to `sme-pulse seed-demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Starts the server
    Serve(Build),
    /// Migrates, seeds and starts the server
    Up(Build),
    /// Runs all tests on `SQLite` and `PostgreSQL`
    Test {
        /// Handed to the test runner, for example a filter
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs everything a change must pass
    Ci {
        /// Only the steps whose names begin so; may be repeated
        #[arg(long)]
        only: Vec<String>,
    },
    /// Writes the generated documents and snapshots anew
    Docs,
    /// Compares the public surface of the library crates with its snapshots
    PublicApi {
        /// Write the snapshots
        #[arg(long)]
        write: bool,
    },
    /// Writes the statements that this version sends, for the tests that later schemas still answer them; at each release
    RecordStatements,
    /// Asks a running server what the description of its API promises, with requests made from that description
    FuzzApi {
        /// Most requests of a kind for an operation
        #[arg(long, default_value_t = ci::API_CASES)]
        cases: u32,
        /// Repeats a run: the seed that it printed
        #[arg(long)]
        seed: Option<u128>,
    },
    /// Takes each wall between organizations out of a copy and looks whether the tests notice
    MutateTenancy {
        /// Handed to the script: `--list`, `--only PATTERN`, `--restart`, `--table`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measures the release build against floors built in the same run
    Bench {
        /// Handed to the benchmark: `--quick`, `--addresses N`, `--organizations N,N,…`, `--only ROW`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(clap::Args, Clone, Copy)]
struct Build {
    /// Build with optimisation
    #[arg(long)]
    release: bool,
}

fn main() -> ExitCode {
    match public_api::stand_in_for_rustdoc().and_then(|()| run(Cli::parse().task)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<u8> {
    let signals = Signals::listen()?;
    match task {
        Task::Migrate { build, args } => Product::build(build.release, &signals)?.migrate(&args),
        Task::Seed { build, force } => Product::build(build.release, &signals)?.seed(force),
        Task::SeedDemo { build, args } => Product::build(build.release, &signals)?.seed_demo(&args),
        Task::Serve(build) => Product::build(build.release, &signals)?.serve_only(),
        Task::Up(build) => product::up(build.release, &signals),
        Task::Test { args } => test::run(&args, &signals),
        Task::Ci { only } => Ok(ci::run(&only, &signals)),
        Task::Docs => docs::write(&signals),
        Task::PublicApi { write } => Ok(u8::from(public_api::check(write, &signals)? == Verdict::Failed)),
        Task::RecordStatements => statements::record(&signals),
        Task::FuzzApi { cases, seed } => Ok(u8::from(fuzz_api::check(cases, seed, &signals)? != Verdict::Passed)),
        Task::MutateTenancy { args } => cargo::mutate_tenancy(&args, &signals),
        Task::Bench { args } => cargo::bench(&args, &signals),
    }
}
