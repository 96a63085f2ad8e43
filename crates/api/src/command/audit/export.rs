//! `sme-pulse audit export`: one consistent state of a chain, in pages, however long it is.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use sme_pulse_auth::service::{AuditSigner, sign_checkpoints};
use sme_pulse_domain::clock::Clock;
use sme_pulse_persistence::{Item, Store};

use super::{Parts, Which};
use crate::audit_file::FileWriter;

pub(super) async fn run(
    parts: &Parts,
    store: &Store,
    signer: &AuditSigner,
    (which, output): (Which, Option<PathBuf>),
) -> anyhow::Result<()> {
    let clock = &*parts.clock;
    let Some(path) = output else {
        write(store, signer, (which, clock), BufWriter::new(io::stdout())).await?;
        return Ok(());
    };
    let (out, events) = write(store, signer, (which, clock), BufWriter::new(create(&path)?)).await?;
    out.into_inner().context("cannot write the file")?.sync_all().context("cannot write the file")?;
    tracing::info!(events, "Audit trail exported");
    Ok(())
}

/// The file holds personal data, so it is its owner's alone; one that exists may be evidence, so it stays.
fn create(path: &Path) -> anyhow::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).with_context(|| format!("cannot create {}", path.display()))
}

async fn write<W: Write>(
    store: &Store,
    signer: &AuditSigner,
    (which, clock): (Which, &dyn Clock),
    out: W,
) -> anyhow::Result<(W, i64)> {
    sign_checkpoints(store, signer, clock.now()).await?;
    let tx = store.begin_system_read().await?;
    let (chain, organization) = which.chain(&tx).await?;
    let head = tx.chain_head(chain).await?;
    let mut file = FileWriter::new(out, (chain, organization), signer, clock.now())?;
    let mut reader = tx.chain(chain);
    loop {
        let batch = reader.next_batch().await?;
        if batch.is_empty() {
            return Ok(file.end(head, signer)?);
        }
        for item in batch {
            match item {
                Item::Event(record) => file.event(*record)?,
                Item::Checkpoint(checkpoint) => file.checkpoint(checkpoint)?,
            }
        }
    }
}
