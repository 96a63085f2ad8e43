//! `sme-pulse db copy --from URL --to URL`: from SQLite to PostgreSQL or back, as a whole or not at all.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use sme_pulse_auth::service::{ChainError, check_chain};
use sme_pulse_domain::audit::Trust;
use sme_pulse_persistence::{Compared, InUse, Side, Store, SystemTx, Transfer};

use super::{Parts, open_operator_store, print};
use crate::config::{Database, DatabaseTarget};

/// What to do with databases.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum DbAction {
    /// Copy all rows into an empty database of the other engine, compare both, and keep the copy only if nothing differs.
    Copy(CopyArgs),
}

/// From where to where.
#[derive(Debug, Clone, Args)]
pub(super) struct CopyArgs {
    /// The source, as in `DATABASE_URL`; the configured database unless given.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// The target: without tables, or migrated and without rows. A password can be in `PGPASSWORD` instead.
    #[arg(long, value_name = "URL")]
    to: String,
}

pub(super) async fn copy(parts: Parts, CopyArgs { from, to }: CopyArgs) -> anyhow::Result<()> {
    let to = target("--to", &to)?;
    let from = match from {
        Some(from) => target("--from", &from)?,
        None => parts.config.database.target.clone(),
    };
    if matches!((&from, &to), (DatabaseTarget::Sqlite { .. }, DatabaseTarget::Sqlite { .. })) {
        bail!("both are SQLite files; `sme-pulse backup` copies one");
    }
    if matches!((&from, &to), (DatabaseTarget::Postgres { .. }, DatabaseTarget::Postgres { .. })) {
        bail!("both are PostgreSQL databases; pg_dump and pg_restore copy one");
    }
    let source_is_used = match &from {
        DatabaseTarget::Sqlite { path } if !path.exists() => bail!("there is no database {}", path.display()),
        DatabaseTarget::Sqlite { path } => InUse::alone(path)?.is_none(),
        DatabaseTarget::Postgres { .. } => false,
    };
    let source = open(&parts, &from).await?;
    let standing = source.schema_standing().await.with_context(|| format!("{from} was not read"))?;
    if !standing.pending.is_empty() || !standing.unknown.is_empty() {
        bail!(
            "the schema of {from} is not this program's; run `sme-pulse migrate` on it, or use the program that wrote it"
        );
    }
    let target = open(&parts, &to).await?;
    migrate(&target, &to).await?;
    let compared = transfer(&parts, &source, &target).await.context("nothing was copied")?;
    print(&table(&compared));
    print(&format!("Copied {from} to {to}: counts, sums and audit chains are the same."));
    if source_is_used {
        print("Note: the source is in use. What is written to it from now on is not in the copy.");
    }
    print(
        "BACKEND_SECRET_KEY (or sme-pulse.secret) and BACKEND_ENCRYPTION_KEY have to move along: tokens, second factors and private keys need them.",
    );
    source.close().await?;
    target.close().await?;
    Ok(())
}

async fn open(parts: &Parts, target: &DatabaseTarget) -> anyhow::Result<Store> {
    let database = Database { target: target.clone(), ..parts.config.database.clone() };
    open_operator_store(&database, &parts.rng).await.with_context(|| format!("cannot open {target}"))
}

/// A target without tables gets them. One with some of them is somebody's.
async fn migrate(store: &Store, target: &DatabaseTarget) -> anyhow::Result<()> {
    let standing = store.schema_standing().await.with_context(|| format!("{target} was not read"))?;
    if standing.applied.is_empty() && standing.unknown.is_empty() {
        store.migrate_up().await.with_context(|| format!("{target} was not migrated"))?;
    } else if !standing.pending.is_empty() || !standing.unknown.is_empty() {
        bail!("the schema of {target} is not this program's; run `sme-pulse migrate` on it first");
    }
    Ok(())
}

async fn transfer(parts: &Parts, source: &Store, target: &Store) -> anyhow::Result<Vec<Compared>> {
    let (source, target) = (source.begin_system_read().await?, target.begin_system().await?);
    let transfer = Transfer::prepare(&source, &target).await?;
    let bar = progress_bar(transfer.rows().await?);
    let copied = transfer
        .copy(|table, rows| {
            bar.set_message(table.to_owned());
            bar.inc(rows);
        })
        .await;
    bar.finish_and_clear();
    copied?;
    let compared = transfer.compare().await?;
    if let Some(differs) = compared.iter().find(|table| !table.is_equal()) {
        print(&table(&compared));
        bail!("{} differs", differs.table);
    }
    compare_chains(parts, &source, &target).await?;
    target.commit().await?;
    Ok(compared)
}

/// The chains are computed again from the copied rows, and end where those of the source end.
async fn compare_chains(parts: &Parts, source: &SystemTx, target: &SystemTx) -> anyhow::Result<()> {
    let trust = Trust::new(super::database_file::public_keys(parts)?).and_others_at_their_word();
    for chain in source.chains().await? {
        match check_chain(target, chain, trust.clone()).await {
            Ok(_) => {}
            Err(ChainError::Broken(finding)) => {
                bail!("the audit chain {} is broken: {finding}; see `sme-pulse audit check`", chain.number())
            }
            Err(ChainError::Store(error)) => return Err(error.into()),
        }
        if source.chain_head(chain).await? != target.chain_head(chain).await? {
            bail!("the audit chain {} ends elsewhere", chain.number());
        }
    }
    Ok(())
}

fn table(compared: &[Compared]) -> String {
    let lines = compared.iter().map(|Compared { table, source, target }| {
        let sums = |side: &Side| side.sums.iter().flat_map(|(name, sum)| ["  ", name, " ", sum]).collect::<String>();
        let differs =
            if source == target { String::new() } else { format!("  DIFFERS: {}{}", target.rows, sums(target)) };
        format!("{table:<24}{:>10}{}{differs}", source.rows, sums(source))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// On a terminal only; anywhere else it shows nothing.
fn progress_bar(rows: u64) -> ProgressBar {
    let bar = ProgressBar::new(rows);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} rows, {msg}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The parser of the command line would show the address that it refuses, and with it a password.
fn target(option: &str, text: &str) -> anyhow::Result<DatabaseTarget> {
    DatabaseTarget::parse(text).map_err(|rule| anyhow::anyhow!("{option} {rule}"))
}
