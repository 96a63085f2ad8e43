//! `sme-pulse seed [--force]`.

use anyhow::{Context as _, bail};
use password_hash::PasswordHasher as _;
use sme_pulse_persistence::{Store, retrying, seed};

use super::{Parts, open_operator_store, print, serve::hasher};

pub(super) async fn run(parts: Parts, force: bool) -> anyhow::Result<()> {
    allow(&parts, force)?;
    let store = current_store(&parts).await?;
    let hash = password_hash(&parts)?;
    let report = retrying(|| seed::run(&store, &hash, parts.clock.now())).await.context("nothing was written")?;
    print(report.render(shown_password(&parts)).trim_end());
    tracing::info!(new_rows = report.anything_new(), "Seed completed");
    store.close().await?;
    Ok(())
}

/// Demo rows are for development; elsewhere they are asked for twice, and never with a password that everybody knows.
pub(super) fn allow(parts: &Parts, force: bool) -> anyhow::Result<()> {
    if !parts.config.environment.is_development() {
        if !force {
            bail!("seeding writes a demo company; outside development it needs --force");
        }
        if parts.config.seed.is_default() {
            bail!("outside development BACKEND_SEED_ADMIN_PASSWORD must be set to a password of your own");
        }
    }
    Ok(())
}

/// The store, whose schema must be current.
pub(super) async fn current_store(parts: &Parts) -> anyhow::Result<Store> {
    let store = open_operator_store(&parts.config.database, &parts.rng).await?;
    let pending = store.pending_migrations().await?;
    if pending > 0 {
        bail!("the schema is not current ({pending} changes pending); run `sme-pulse migrate` first");
    }
    Ok(store)
}

/// The hash of the password that demo users get.
pub(super) fn password_hash(parts: &Parts) -> anyhow::Result<String> {
    let mut salt = [0; 16];
    parts.rng.fill(&mut salt);
    hasher(&parts.config.passwords)
        .hash_password_with_salt(parts.config.seed.admin_password.expose().as_bytes(), &salt)
        .map_err(|_| anyhow::anyhow!("BACKEND_SEED_ADMIN_PASSWORD cannot be hashed"))
}

/// That password, unless somebody has chosen it.
pub(super) fn shown_password(parts: &Parts) -> &str {
    if parts.config.seed.from_variable {
        "(from BACKEND_SEED_ADMIN_PASSWORD)"
    } else {
        parts.config.seed.admin_password.expose()
    }
}
