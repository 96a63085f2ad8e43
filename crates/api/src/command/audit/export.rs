//! `sme-pulse audit export`: one consistent state of a chain, in pages, however long it is.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use sme_pulse_auth::service::{AuditSigner, sign_checkpoints};
use sme_pulse_domain::{
    audit::{Chain, ChainVerifier, Finding},
    clock::Clock,
};
use sme_pulse_persistence::{Item, Store};

use super::{Parts, Which, check::name};
use crate::audit_file::FileWriter;

pub(super) async fn run(
    parts: &Parts,
    store: &Store,
    signer: &AuditSigner,
    (which, output): (Which, Option<PathBuf>),
) -> anyhow::Result<()> {
    let clock = &*parts.clock;
    let (events, broken) = if let Some(path) = output {
        let (out, events, broken) = write(store, signer, (which, clock), BufWriter::new(create(&path)?)).await?;
        out.into_inner().context("cannot write the file")?.sync_all().context("cannot write the file")?;
        (Some(events), broken)
    } else {
        (None, write(store, signer, (which, clock), BufWriter::new(io::stdout())).await?.2)
    };
    if let Some((chain, finding)) = broken {
        bail!("{}: {finding}; everything there is was written, without a signed end", name(chain));
    }
    if let Some(events) = events {
        tracing::info!(events, "Audit trail exported");
    }
    Ok(())
}

/// The file holds personal data, so it is its owner's alone; one that exists may be evidence, so it stays.
fn create(path: &Path) -> anyhow::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Writes what there is. A chain that is broken gets no signed end, which would vouch for it; the first thing that is
/// wrong is returned.
async fn write<W: Write>(
    store: &Store,
    signer: &AuditSigner,
    (which, clock): (Which, &dyn Clock),
    out: W,
) -> anyhow::Result<(W, i64, Option<(Chain, Finding)>)> {
    sign_checkpoints(store, signer, clock.now()).await?;
    let tx = store.begin_system_read().await?;
    let (chain, organization) = which.chain(&tx).await?;
    let head = tx.chain_head(chain).await?;
    let mut file = FileWriter::new(out, (chain, organization), signer, clock.now())?;
    let (mut verifier, mut sound) = (ChainVerifier::new(chain, signer.trust()), Ok(()));
    let mut reader = tx.chain(chain);
    loop {
        let batch = reader.next_batch().await?;
        if batch.is_empty() {
            break;
        }
        for item in batch {
            sound = sound.and_then(|()| match &item {
                Item::Event(record) => verifier.event(record),
                Item::Checkpoint(checkpoint) => verifier.checkpoint(checkpoint),
            });
            match item {
                Item::Event(record) => file.event(*record)?,
                Item::Checkpoint(checkpoint) => file.checkpoint(checkpoint)?,
            }
        }
    }
    let known = head.as_ref().map(|(seq, hash)| (*seq, hash.as_str()));
    if let Err(finding) = sound.and_then(|()| verifier.head(known)) {
        let (out, events) = file.break_off()?;
        return Ok((out, events, Some((chain, finding))));
    }
    let (out, events) = file.end(head, signer)?;
    Ok((out, events, None))
}
