//! `sme-pulse seed-demo`: demo data at size, to look at and to measure with.

use anyhow::Context as _;
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use sme_pulse_persistence::seed::demo::{self, DemoSize};

use super::{Parts, print, seed};

/// How much is written.
#[derive(Debug, Clone, Args)]
pub(super) struct DemoArgs {
    /// Organizations; those that are there already stay as they are
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=100_000))]
    organizations: u32,
    /// People in each: the first is its owner, the others are admin, accountant and cashier in turn
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=1_000))]
    users: u32,
    /// Customers of each
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(0..=100_000))]
    customers: u32,
    /// What the rows are made from: the same number gives the same rows
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(..=999_999_999))]
    seed: u64,
    /// Allow it outside development
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(parts: Parts, args: DemoArgs) -> anyhow::Result<()> {
    seed::allow(&parts, args.force)?;
    let store = seed::current_store(&parts).await?;
    let DemoArgs { organizations, users, customers, seed, force: _ } = args;
    let size = DemoSize { organizations, users, customers, seed };
    let hash = seed::password_hash(&parts)?;
    let bar = progress_bar(organizations);
    let done = demo::run(&store, &size, (&hash, parts.clock.now()), |done| bar.set_position(done.into())).await;
    bar.finish_and_clear();
    let done = done.context("the organizations written so far stay; the same command writes the rest")?;
    print(&format!(
        "{} organizations written, {} were there already\nLog in as {} (owner) with the password {}",
        done.created,
        done.existing,
        size.email(1, 1),
        seed::shown_password(&parts)
    ));
    tracing::info!(created = done.created, existing = done.existing, "Demo data completed");
    store.close().await?;
    Ok(())
}

/// On a terminal only; anywhere else it shows nothing.
fn progress_bar(organizations: u32) -> ProgressBar {
    let bar = ProgressBar::new(organizations.into());
    match ProgressStyle::with_template("{bar:40} {pos}/{len} organizations, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
