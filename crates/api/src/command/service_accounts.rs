//! `sme-pulse service-accounts create|list|revoke`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use sme_pulse_auth::service::{NewAccount, create_service_account, revoke_service_account, service_accounts};
use sme_pulse_domain::{
    api_key::{DAYS, FOR_SERVICE_ACCOUNTS, KeyKind, KeyName, ServiceAccount},
    permission::Permission,
};
use sme_pulse_persistence::Store;

use super::{Parts, print, seed::current_store};

/// What to do with the operator's service accounts.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum ServiceAccountAction {
    /// Make one and print its key, which is never shown again.
    Create(NewArgs),
    /// Print all of them, one a line: name, status, permissions, prefix of the key, when it ends, when it was last used.
    List,
    /// Revoke one: its key opens nothing from now on.
    Revoke {
        /// Its name.
        #[arg(value_parser = name)]
        name: KeyName,
    },
}

/// The account to be made.
#[derive(Debug, Clone, Args)]
pub(super) struct NewArgs {
    /// What to call it: 1 to 100 characters.
    #[arg(value_parser = name)]
    name: KeyName,
    /// What it may ask; may be repeated. Everything that service accounts may, unless given.
    #[arg(long = "permission", value_parser = permission)]
    permissions: Vec<Permission>,
    /// After how many days its key is refused; without it the key lives until it is revoked.
    #[arg(long, value_parser = clap::value_parser!(i64).range(DAYS.0..=DAYS.1))]
    expires_days: Option<i64>,
}

pub(super) async fn run(parts: Parts, action: ServiceAccountAction) -> anyhow::Result<()> {
    let store = current_store(&parts).await?;
    let done = with_store(&parts, &store, action).await;
    store.close().await?;
    done
}

async fn with_store(parts: &Parts, store: &Store, action: ServiceAccountAction) -> anyhow::Result<()> {
    let now = parts.clock.now();
    match action {
        ServiceAccountAction::Create(NewArgs { name, permissions, expires_days }) => {
            let asked = if permissions.is_empty() { FOR_SERVICE_ACCOUNTS.to_vec() } else { permissions };
            let new = NewAccount { name, permissions: asked.into_iter().collect(), days: expires_days };
            let (_, key) = create_service_account(store, &new, &*parts.rng, now).await.context("nothing was made")?;
            print(key.expose());
        }
        ServiceAccountAction::List => {
            for account in service_accounts(store).await? {
                print(&line(&account, account.status(now).as_str()));
            }
        }
        ServiceAccountAction::Revoke { name } => {
            let revoked = revoke_service_account(store, &name, now).await.context("nothing was revoked")?;
            print(&format!("Revoked {}.", revoked.name.as_str()));
        }
    }
    Ok(())
}

/// Fields with a tab between; none of them can hold one.
fn line(account: &ServiceAccount, status: &str) -> String {
    let time = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "never".to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    [
        account.name.as_str().to_owned(),
        status.to_owned(),
        account.permissions.codes(),
        format!("{}{}", KeyKind::Service.mark(), account.prefix),
        time(account.expires_at),
        time(account.last_used_at),
    ]
    .join("\t")
}

fn name(text: &str) -> Result<KeyName, String> {
    KeyName::parse(text).map_err(|reason| reason.to_string())
}

fn permission(code: &str) -> Result<Permission, String> {
    let known = FOR_SERVICE_ACCOUNTS.into_iter().find(|permission| permission.code() == code);
    known.ok_or_else(|| format!("one of {}", FOR_SERVICE_ACCOUNTS.map(Permission::code).join(", ")))
}
