//! The product's own commands: builds the `sme-pulse` binary and runs it from the workspace, alone or as the three
//! steps of `up`.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo;
use crate::process::{self, Outcome, Signals};
use crate::ready::{Address, Watch};
use crate::say::say;

/// The built binary; `None` inside means that Ctrl-C ended the build.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    binary: Option<PathBuf>,
    signals: &'a Signals,
}

impl<'a> Product<'a> {
    /// Builds the binary that is deployed, with cargo's progress on the terminal.
    pub(crate) fn build(release: bool, signals: &'a Signals) -> anyhow::Result<Self> {
        say("building sme-pulse");
        let mut args = vec!["-p", "sme-pulse-api", "--bin", "sme-pulse"];
        if release {
            args.push("--release");
        }
        let built = cargo::build(&args, &["sme-pulse"], signals)?;
        Ok(Self { binary: built.and_then(|mut paths| paths.pop()), signals })
    }

    /// `sme-pulse migrate …`
    pub(crate) fn migrate(&self, args: &[String]) -> anyhow::Result<u8> {
        Ok(self.run("migrate", args)?.code())
    }

    /// `sme-pulse seed [--force]`
    pub(crate) fn seed(&self, force: bool) -> anyhow::Result<u8> {
        let args: &[String] = if force { &["--force".to_owned()] } else { &[] };
        Ok(self.run("seed", args)?.code())
    }

    /// `sme-pulse seed-demo …`
    pub(crate) fn seed_demo(&self, args: &[String]) -> anyhow::Result<u8> {
        Ok(self.run("seed-demo", args)?.code())
    }

    /// `sme-pulse serve`, without the steps before it.
    pub(crate) fn serve_only(&self) -> anyhow::Result<u8> {
        let address = Address::configured()?;
        address.refuse_if_taken()?;
        let outcome = self.serve(&address)?;
        if let Outcome::Exited(1..) | Outcome::Died(_) = outcome {
            say(format_args!("error: serve failed with {}", outcome.describe()));
        }
        Ok(end_of_serving(outcome))
    }

    fn run(&self, name: &str, args: &[String]) -> anyhow::Result<Outcome> {
        let Some(mut command) = self.command(name) else { return Ok(Outcome::Stopped) };
        process::run(command.args(args), self.signals)
    }

    fn serve(&self, address: &Address) -> anyhow::Result<Outcome> {
        let Some(mut command) = self.command("serve") else { return Ok(Outcome::Stopped) };
        let child = process::spawn(&mut command)?;
        let mut watch = Watch::start(address);
        process::wait(child, self.signals, None, || watch.announce_once())
    }

    fn command(&self, name: &str) -> Option<Command> {
        let mut command = Command::new(self.binary.as_ref()?);
        command.arg(name).current_dir(cargo::root());
        Some(command)
    }
}

/// Migrate, seed, serve: stops at the first step that fails, with its exit code.
pub(crate) fn up(release: bool, signals: &Signals) -> anyhow::Result<u8> {
    let address = Address::configured()?;
    address.refuse_if_taken()?;
    let product = Product::build(release, signals)?;
    for (number, name) in [(1, "migrate"), (2, "seed")] {
        say(format_args!("[{number}/3] {name}"));
        match product.run(name, &[])? {
            Outcome::Exited(0) => {}
            outcome => return Ok(failed(number, name, outcome)),
        }
    }
    say("[3/3] serve");
    match product.serve(&address)? {
        outcome @ (Outcome::Exited(1..) | Outcome::Died(_)) => Ok(failed(3, "serve", outcome)),
        outcome => Ok(end_of_serving(outcome)),
    }
}

fn failed(number: u8, name: &str, outcome: Outcome) -> u8 {
    if outcome == Outcome::Stopped {
        say(format_args!("stopped in step [{number}/3] {name}"));
    } else {
        say(format_args!("error: step [{number}/3] {name} failed with {}; see its message above", outcome.describe()));
    }
    outcome.code()
}

/// Being asked to stop is how a server is meant to end.
fn end_of_serving(outcome: Outcome) -> u8 {
    if outcome == Outcome::Stopped {
        say("stopped");
        return 0;
    }
    outcome.code()
}
