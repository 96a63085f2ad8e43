//! The `sme-pulse` binary.

use std::process::ExitCode;

use clap::Parser as _;
use sme_pulse_api::command::{self, CommandLine};

fn main() -> ExitCode {
    command::run(CommandLine::parse())
}
