//! `sme-pulse migrate [up|plan|down|status|fresh]`.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use sme_pulse_persistence::{MigrationPlan, Store};

use super::{Parts, open_operator_store, print};
use crate::config::DatabaseTarget;

const UNCHANGED: &str = "the schema was not changed";
const CURRENT: &str = "The schema is current; nothing to do.";
const EMPTY: &str = "There is nothing to take back.";

/// What to do with the schema.
#[derive(Debug, Clone, Copy, Default, Subcommand)]
pub enum MigrateAction {
    /// Apply all pending changes (the default).
    #[default]
    Up,
    /// Print what is pending as SQL, with the locks it takes, and change nothing.
    Plan,
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
        MigrateAction::Up | MigrateAction::Plan | MigrateAction::Status => false,
        MigrateAction::Down { force, .. } | MigrateAction::Fresh { force } => !force,
    };
    if destroys && !parts.config.environment.is_development() {
        bail!("this removes data; outside development it needs --force");
    }
    if matches!(action, MigrateAction::Plan) {
        print(plan(&parts).await.context(UNCHANGED)?.to_string().trim_end());
        return Ok(());
    }
    let store = open_operator_store(&parts.config.database, &parts.rng).await?;
    match action {
        MigrateAction::Plan => {}
        MigrateAction::Up => {
            let applied = store.migrate_up().await.context(UNCHANGED)?;
            let newer = store.schema_standing().await?.unknown;
            if newer.is_empty() {
                say("Applied", &applied, CURRENT);
            } else {
                print(&format!("The schema is newer than this program, and has {}; nothing to do.", newer.join(", ")));
            }
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

/// Opens an embedded file only to read it, and makes none.
async fn plan(parts: &Parts) -> anyhow::Result<MigrationPlan> {
    let store = match &parts.config.database.target {
        DatabaseTarget::Sqlite { path } if !path.exists() => return Ok(Store::migration_plan_from_nothing().await?),
        DatabaseTarget::Sqlite { path } => Store::open_to_read(path, Arc::clone(&parts.rng)).await?,
        DatabaseTarget::Postgres { .. } => open_operator_store(&parts.config.database, &parts.rng).await?,
    };
    let plan = store.migration_plan().await;
    store.close().await?;
    Ok(plan?)
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
