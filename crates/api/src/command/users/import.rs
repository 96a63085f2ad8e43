//! `sme-pulse users import --organization ID FILE`: every row is checked before the first one is written.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use sme_pulse_auth::service::{UserError, import_users};
use sme_pulse_domain::ids::OrgId;
use sme_pulse_persistence::Store;

use super::{
    super::{Parts, print},
    import_file::{Line, Rows},
    told,
};

/// Largest file that is read.
const LARGEST: u64 = 64 << 20;
/// Mistakes that are told at once.
const SHOWN: usize = 50;

/// Whom to import, and where to.
#[derive(Debug, Clone, Args)]
pub(in crate::command) struct ImportArgs {
    /// The organization they will be at home in.
    #[arg(long, value_name = "ID")]
    organization: i64,
    /// CSV with a first line of names, or one JSON object a line: `email`, `full_name`, `roles`, `status`, `password_hash`.
    file: PathBuf,
    /// The form of the file; by its ending unless given.
    #[arg(long)]
    format: Option<Format>,
    /// Check everything and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// The forms of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::command) enum Format {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// JSON Lines.
    Jsonl,
}

pub(super) async fn run(parts: &Parts, store: &Store, args: ImportArgs) -> anyhow::Result<()> {
    let ImportArgs { organization, file, format, dry_run } = args;
    let format = format.or_else(|| by_ending(&file)).context("say --format csv or --format jsonl")?;
    let size = fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
    if size > LARGEST {
        bail!("{} is larger than {LARGEST} bytes; import it in parts", file.display());
    }
    let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let Rows { people, mut mistakes } = match format {
        Format::Csv => Rows::of_csv(&bytes),
        Format::Jsonl => Rows::of_json_lines(&bytes),
    };
    find_duplicates(store, &people, &mut mistakes).await?;
    if !mistakes.is_empty() {
        bail!("nobody was imported:\n{}", list(mistakes));
    }
    let org = OrgId::new(organization);
    if !store.begin_system_read().await?.organization_names().await?.iter().any(|(known, _)| *known == org) {
        bail!("nobody was imported: there is no organization {org}");
    }
    if dry_run {
        print(&format!("{} people could be imported; nothing was written.", people.len()));
        return Ok(());
    }
    let new: Vec<_> = people.into_iter().map(|line| line.person).collect();
    let bar = ProgressBar::new(u64::try_from(new.len())?);
    let done = import_users(store, org, &new, parts.clock.now(), |done| {
        bar.set_position(u64::try_from(done).unwrap_or_default());
    })
    .await;
    bar.finish_and_clear();
    done.map_err(|error| match error {
        UserError::NotFound => anyhow::anyhow!("there is no organization {org}"),
        error => told(error),
    })
    .context("nobody was imported")?;
    print(&format!("Imported {} people into organization {org}.", new.len()));
    tracing::info!(people = new.len(), organization = org.get(), "Users imported");
    Ok(())
}

fn by_ending(file: &Path) -> Option<Format> {
    match file.extension()?.to_str()? {
        "csv" => Some(Format::Csv),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        _ => None,
    }
}

/// Addresses that are there twice, in the file or in the database.
async fn find_duplicates(store: &Store, people: &[Line], mistakes: &mut Vec<(u64, String)>) -> anyhow::Result<()> {
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for Line { number, person } in people {
        if let Some(first) = seen.insert(person.email.as_str(), *number) {
            mistakes.push((*number, format!("the address is that of line {first} too")));
        } else if store.account_by_email(&person.email).await?.is_some() {
            mistakes.push((*number, "somebody has the address already, in whatever organization".to_owned()));
        }
    }
    Ok(())
}

fn list(mut mistakes: Vec<(u64, String)>) -> String {
    mistakes.sort();
    let more = mistakes.len().saturating_sub(SHOWN);
    let mut lines: Vec<_> = mistakes.iter().take(SHOWN).map(|(line, text)| format!("line {line}: {text}")).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}
