//! `sme-pulse organizations [list|suspend|activate]`.

use anyhow::Context as _;
use clap::Subcommand;
use sme_pulse_auth::service::{OrganizationError, set_organization_status};
use sme_pulse_domain::{ids::OrgId, status::Status};
use sme_pulse_persistence::Store;

use super::{Parts, print, seed::current_store};

/// What to do with organizations.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum OrganizationsAction {
    /// Show them all: id, status, name.
    List,
    /// No log-in, token or refresh of this organization works any more; nothing is removed.
    Suspend {
        /// Its id.
        id: i64,
    },
    /// Let a suspended organization go on. Tokens from before stay good only if they have not expired.
    Activate {
        /// Its id.
        id: i64,
    },
}

pub(super) async fn run(parts: Parts, action: OrganizationsAction) -> anyhow::Result<()> {
    let store = current_store(&parts).await?;
    let done = match action {
        OrganizationsAction::List => list(&store).await,
        OrganizationsAction::Suspend { id } => set(&parts, &store, OrgId::new(id), Status::Inactive).await,
        OrganizationsAction::Activate { id } => set(&parts, &store, OrgId::new(id), Status::Active).await,
    };
    store.close().await?;
    done
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let tx = store.begin_system_read().await?;
    for (org, name, status) in tx.organizations().await? {
        print(&format!("{org:>8}  {:<9} {}", shown(status), name.escape_debug()));
    }
    Ok(())
}

async fn set(parts: &Parts, store: &Store, org: OrgId, status: Status) -> anyhow::Result<()> {
    let sheet = match set_organization_status(store, org, status, parts.clock.now()).await {
        Err(OrganizationError::NotFound) => None.with_context(|| format!("there is no organization {org}"))?,
        done => done?,
    };
    print(&format!("Organization {org} ({}) is {}.", sheet.name.escape_debug(), shown(sheet.status)));
    Ok(())
}

const fn shown(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Inactive => "suspended",
    }
}
