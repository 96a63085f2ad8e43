//! `sme-pulse audit [export|verify|check|key|erase]`.

mod check;
mod erase;
mod export;
mod verify;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use sme_pulse_auth::service::{AuditSigner, ServiceKeys};
use sme_pulse_domain::{
    audit::{Chain, PublicKey},
    ids::OrgId,
};
use sme_pulse_persistence::{Store, SystemTx};

use super::{Parts, open_operator_store, print};
use verify::VerifyFile;
pub(super) use verify::run as verify;

/// What to do with the audit trail.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum AuditAction {
    /// Write a chain of events as lines of JSON that `verify` checks.
    Export {
        #[command(flatten)]
        chain: Which,
        /// A new file to write to, instead of standard output.
        #[arg(long)]
        output: Option<std::path::PathBuf>,
    },
    /// Check an exported file; needs neither configuration nor database.
    Verify(VerifyFile),
    /// Check the database itself, all chains unless one is named.
    Check {
        #[command(flatten)]
        chain: Which,
        /// An earlier public key whose checkpoints count as well; may be repeated.
        #[arg(long = "public-key", value_parser = public_key)]
        keys: Vec<PublicKey>,
    },
    /// Print the public key that exports and checkpoints are signed with.
    Key,
    /// Take a user's personal data out of the events that they caused or that are about them.
    Erase {
        /// The user's id or e-mail address.
        #[arg(long)]
        user: String,
    },
}

/// Which chain.
#[derive(Debug, Clone, Copy, Args)]
#[group(multiple = false)]
pub(super) struct Which {
    /// The events of this organization.
    #[arg(long, value_name = "ID")]
    organization: Option<i64>,
    /// The events outside any organization.
    #[arg(long)]
    outside: bool,
}

pub(super) async fn run(parts: Parts, action: AuditAction) -> anyhow::Result<()> {
    let secret = parts.config.tokens.key.resolve(&*parts.rng)?;
    let signer = ServiceKeys::new(secret.expose().as_bytes(), None).audit_signer();
    if matches!(action, AuditAction::Key) {
        print(&signer.public_key().hex());
        return Ok(());
    }
    let store = open_operator_store(&parts.config.database, &parts.rng).await?;
    let pending = store.pending_migrations().await?;
    if pending > 0 {
        bail!("the schema is not current ({pending} changes pending); run `sme-pulse migrate` first");
    }
    let done = with_store(&parts, &store, &signer, action).await;
    store.close().await?;
    done
}

async fn with_store(parts: &Parts, store: &Store, signer: &AuditSigner, action: AuditAction) -> anyhow::Result<()> {
    match action {
        AuditAction::Export { chain, output } => export::run(parts, store, signer, (chain, output)).await,
        AuditAction::Check { chain, keys } => check::run(store, signer, (chain, keys)).await,
        AuditAction::Erase { user } => erase::run(parts, store, &user).await,
        AuditAction::Verify(_) | AuditAction::Key => Ok(()),
    }
}

impl Which {
    /// The chain that was named; without a name the only organization's.
    async fn chain(self, tx: &SystemTx) -> anyhow::Result<(Chain, Option<String>)> {
        if self.outside {
            return Ok((Chain::Outside, None));
        }
        let mut organizations = tx.organization_names().await?;
        if let Some(id) = self.organization {
            let (org, name) = organizations
                .into_iter()
                .find(|(org, _)| *org == OrgId::new(id))
                .with_context(|| format!("there is no organization {id}"))?;
            return Ok((Chain::Of(org), Some(name)));
        }
        match (organizations.pop(), organizations.is_empty()) {
            (Some((org, name)), true) => Ok((Chain::Of(org), Some(name))),
            _ => bail!("say which chain: --organization ID or --outside"),
        }
    }

    const fn is_named(self) -> bool {
        self.outside || self.organization.is_some()
    }
}

fn public_key(text: &str) -> Result<PublicKey, &'static str> {
    PublicKey::from_hex(text).ok_or("a public key is 64 lower-case hex digits, as `sme-pulse audit key` prints them")
}
