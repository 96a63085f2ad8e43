//! The embedded database as a file that is copied or replaced: which one it is, and whether a copy is good.

mod part;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use sme_pulse_auth::service::{ChainError, ServiceKeys, check_chain};
use sme_pulse_domain::audit::{Finding, PublicKey, Trust};
use sme_pulse_persistence::{Contents, Store};

use super::{Parts, print};
use crate::config::{DatabaseTarget, FILE_NAME, Secret, SigningKey};
pub(super) use part::{Part, folder, sync_folder};

/// What was found in a file.
pub(super) struct Checked {
    /// `None` when the schema is older than this program's.
    pub(super) contents: Option<Contents>,
    /// Changes of the schema that it does not have yet.
    pub(super) pending: usize,
    /// Those that it has from a later version.
    pub(super) later: Vec<String>,
    /// Whether its audit trail could be checked, which that of an old schema may not.
    pub(super) readable: bool,
    /// The first thing that is wrong with its audit trail.
    pub(super) broken: Option<Finding>,
}

/// The configured file; on PostgreSQL its own tools do this better.
pub(super) fn embedded(parts: &Parts) -> anyhow::Result<PathBuf> {
    match &parts.config.database.target {
        DatabaseTarget::Sqlite { path } => Ok(path.clone()),
        DatabaseTarget::Postgres { .. } => bail!(
            "the database is on PostgreSQL, whose own tools make and restore backups: pg_dump and pg_restore, or \
             pg_basebackup with an archive of the log; docs/backup.md says how"
        ),
    }
}

/// Looks a file through: its pages, indexes and references, its schema, and every audit chain from its first event to its head.
pub(super) async fn check(parts: &Parts, path: &std::path::Path) -> anyhow::Result<Checked> {
    let name = path.display();
    let store =
        Store::open_to_read(path, Arc::clone(&parts.rng)).await.with_context(|| format!("cannot open {name}"))?;
    let checked = check_store(parts, &store).await.with_context(|| format!("{name} is not usable"));
    store.close().await?;
    checked
}

async fn check_store(parts: &Parts, store: &Store) -> anyhow::Result<Checked> {
    let damage = store.damage(false).await?;
    if !damage.is_empty() {
        bail!("it is damaged: {}", damage.join("; "));
    }
    let standing = store.schema_standing().await?;
    if standing.applied.is_empty() {
        bail!("it holds no data of SME Pulse");
    }
    let (pending, later) = (standing.pending.len(), standing.unknown);
    if pending > 0 {
        // Before the trail had its tables of today it cannot be read.
        let (readable, broken) = match broken_chain(parts, store).await {
            Ok(broken) => (true, broken),
            Err(_) => (false, None),
        };
        return Ok(Checked { contents: None, pending, later, readable, broken });
    }
    let (contents, broken) = (Some(store.contents().await?), broken_chain(parts, store).await?);
    Ok(Checked { contents, pending, later, readable: true, broken })
}

/// The key that checkpoints are signed with, if it is known here.
pub(super) fn public_keys(parts: &Parts) -> anyhow::Result<Vec<PublicKey>> {
    let secret = parts.config.tokens.key.existing()?;
    let key = |secret: Secret| ServiceKeys::new(secret.expose().as_bytes(), None).audit_signer().public_key();
    Ok(secret.map(key).into_iter().collect())
}

async fn broken_chain(parts: &Parts, store: &Store) -> anyhow::Result<Option<Finding>> {
    let trust = Trust::new(public_keys(parts)?).and_others_at_their_word();
    let tx = store.begin_system_read().await?;
    for chain in tx.chains().await? {
        match check_chain(&tx, chain, trust.clone()).await {
            Ok(_) => {}
            Err(ChainError::Broken(finding)) => return Ok(Some(finding)),
            Err(ChainError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(None)
}

impl Checked {
    /// `3 organizations, 12 users, newest audit event …`.
    pub(super) fn shown(&self) -> String {
        let Some(contents) = &self.contents else {
            let trail = if self.readable { "" } else { "; its audit trail was not checked" };
            return format!("an older schema, which lacks {} changes{trail}", self.pending);
        };
        let newest = contents.newest_event.map_or_else(|| "none".to_owned(), |at| format!("{at:?}"));
        format!("{} organizations, {} users, newest audit event {newest}", contents.organizations, contents.users)
    }
}

/// Where the key of a development installation is kept, if that is where the key is.
pub(super) fn kept_secret(parts: &Parts) -> Option<PathBuf> {
    match &parts.config.tokens.key {
        SigningKey::Kept(folder) => Some(folder.join(FILE_NAME)),
        SigningKey::Configured(_) | SigningKey::Missing => None,
    }
}

/// What else has to be kept: without it the rows are there, but nobody can use all of them.
pub(super) fn tell_what_else(parts: &Parts) {
    match kept_secret(parts) {
        Some(file) => print(&format!(
            "Not in it: {}. Keep it too (--with-secret does): without it all tokens end, and second factors and private keys \
             cannot be read.",
            file.display()
        )),
        None => print(
            "Not in it: BACKEND_SECRET_KEY and, if you have one, BACKEND_ENCRYPTION_KEY. Keep them apart from it: without them \
             all tokens end, and second factors and private keys cannot be read.",
        ),
    }
}
