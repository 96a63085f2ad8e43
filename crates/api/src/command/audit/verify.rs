//! `sme-pulse audit verify FILE [--public-key HEX]`.

use std::{fs::File, io::BufReader, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use sme_pulse_domain::audit::{PublicKey, Summary};

use super::{super::print, public_key};
use crate::audit_file;

/// The file and the keys that count.
#[derive(Debug, Clone, Args)]
pub(in crate::command) struct VerifyFile {
    /// What `export` wrote.
    file: PathBuf,
    /// The public key that the file has to be signed with; repeat it for earlier keys of the same installation.
    #[arg(long = "public-key", value_parser = public_key)]
    keys: Vec<PublicKey>,
}

pub(in crate::command) fn run(wanted: &VerifyFile) -> anyhow::Result<()> {
    let name = wanted.file.display();
    let file = File::open(&wanted.file).with_context(|| format!("cannot open {name}"))?;
    let report = audit_file::verify(BufReader::new(file), wanted.keys.clone())?;
    let pinned = if wanted.keys.is_empty() { " (as the file itself says; give --public-key to be sure)" } else { "" };
    print(&format!("OK: {}, key {}{pinned}", shown(&report.summary), report.key.id()));
    Ok(())
}

/// `2 events, from … to …, 1 checkpoint`.
pub(super) fn shown(summary: &Summary) -> String {
    let ending = |number: bool| if number { "" } else { "s" };
    let span = summary.span.map_or_else(String::new, |(first, last)| format!(" from {first:?} to {last:?},"));
    let (events, checkpoints) = (summary.events, summary.checkpoints);
    format!("{events} event{},{span} {checkpoints} checkpoint{}", ending(events == 1), ending(checkpoints == 1))
}
