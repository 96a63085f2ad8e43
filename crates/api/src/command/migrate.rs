//! `sme-pulse migrate [up|down|status|fresh]`.

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::{Parts, open_operator_store, print};

const UNCHANGED: &str = "the schema was not changed";
const CURRENT: &str = "The schema is current; nothing to do.";
const EMPTY: &str = "There is nothing to take back.";

/// What to do with the schema.
#[derive(Debug, Clone, Copy, Default, Subcommand)]
pub enum MigrateAction {
    /// Apply all pending changes (the default).
    #[default]
    Up,
    /// Take changes back, data included; the last one unless told otherwise.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
        /// Allow it outside development.
        #[arg(long)]
        force: bool,
    },
    /// List every change and whether it is applied.
    Status,
    /// Remove everything, data included, and build the schema anew.
    Fresh {
        /// Allow it outside development.
        #[arg(long)]
        force: bool,
    },
}

pub(super) async fn run(parts: Parts, action: MigrateAction) -> anyhow::Result<()> {
    let destroys = match action {
        MigrateAction::Up | MigrateAction::Status => false,
        MigrateAction::Down { force, .. } | MigrateAction::Fresh { force } => !force,
    };
    if destroys && !parts.config.environment.is_development() {
        bail!("this removes data; outside development it needs --force");
    }
    let store = open_operator_store(&parts.config.database, &parts.rng).await?;
    match action {
        MigrateAction::Up => {
            say("Applied", &store.migrate_up().await.context(UNCHANGED)?, CURRENT);
            tell_what_is_left(&store.prepare_runtime_role().await?);
        }
        MigrateAction::Down { steps, .. } => {
            say("Took back", &store.migrate_down(Some(steps)).await.context(UNCHANGED)?, EMPTY);
        }
        MigrateAction::Fresh { .. } => {
            say("Applied", &store.migrate_fresh().await.context(UNCHANGED)?, CURRENT);
            tell_what_is_left(&store.prepare_runtime_role().await?);
        }
        MigrateAction::Status => {
            for (name, applied) in store.migration_status().await? {
                print(&format!("{}  {name}", if applied { "applied" } else { "pending" }));
            }
        }
    }
    store.close().await?;
    Ok(())
}

/// Without the role everything works, but the second wall around each organization is thinner.
fn tell_what_is_left(statements: &[String]) {
    if statements.is_empty() {
        return;
    }
    print("Note: requests are not served in a role of their own yet. Let an administrator of the database run:");
    for statement in statements {
        print(&format!("  {statement}"));
    }
    print("and then run `sme-pulse migrate` once more, which grants the role what it needs.");
}

fn say(what: &str, names: &[String], nothing: &str) {
    if names.is_empty() {
        print(nothing);
    }
    for name in names {
        print(&format!("{what} {name}"));
    }
}
