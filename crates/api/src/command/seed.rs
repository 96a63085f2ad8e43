//! `sme-pulse seed [--force]`.

use anyhow::{Context as _, bail};
use password_hash::PasswordHasher as _;
use sme_pulse_persistence::{retrying, seed};

use super::{Parts, open_operator_store, print, serve::hasher};

pub(super) async fn run(parts: Parts, force: bool) -> anyhow::Result<()> {
    let config = &parts.config;
    if !config.environment.is_development() {
        if !force {
            bail!("seeding writes a demo company; outside development it needs --force");
        }
        if config.seed.is_default() {
            bail!("outside development BACKEND_SEED_ADMIN_PASSWORD must be set to a password of your own");
        }
    }
    let store = open_operator_store(&config.database, &parts.rng).await?;
    let pending = store.pending_migrations().await?;
    if pending > 0 {
        bail!("the schema is not current ({pending} changes pending); run `sme-pulse migrate` first");
    }
    let mut salt = [0; 16];
    parts.rng.fill(&mut salt);
    let hash: String = hasher(&config.passwords)
        .hash_password_with_salt(config.seed.admin_password.expose().as_bytes(), &salt)
        .map_err(|_| anyhow::anyhow!("BACKEND_SEED_ADMIN_PASSWORD cannot be hashed"))?;
    let report = retrying(|| seed::run(&store, &hash, parts.clock.now())).await.context("nothing was written")?;
    let shown = if config.seed.from_variable {
        "(from BACKEND_SEED_ADMIN_PASSWORD)"
    } else {
        config.seed.admin_password.expose()
    };
    print(report.render(shown).trim_end());
    tracing::info!(new_rows = report.anything_new(), "Seed completed");
    store.close().await?;
    Ok(())
}
