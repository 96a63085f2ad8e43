//! `sme-pulse audit check`: the chains as they are in the database, against their heads and checkpoints.

use anyhow::bail;
use sme_pulse_auth::service::{AuditSigner, ChainError, check_chain};
use sme_pulse_domain::audit::{Chain, PublicKey, Trust};
use sme_pulse_persistence::Store;

use super::{super::print, Which, verify::shown};

pub(super) async fn run(
    store: &Store,
    signer: &AuditSigner,
    (which, mut keys): (Which, Vec<PublicKey>),
) -> anyhow::Result<()> {
    keys.push(signer.public_key());
    let trust = Trust::new(keys);
    let tx = store.begin_system_read().await?;
    let chains = if which.is_named() { vec![which.chain(&tx).await?.0] } else { tx.chains().await? };
    for chain in chains {
        match check_chain(&tx, chain, trust.clone()).await {
            Ok(summary) => print(&format!("OK: {}: {}", name(chain), shown(&summary))),
            Err(ChainError::Broken(finding)) => bail!("{}: {finding}", name(chain)),
            Err(ChainError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The chain as people are told of it.
pub(super) fn name(chain: Chain) -> String {
    match chain {
        Chain::Outside => "outside any organization".to_owned(),
        Chain::Of(org) => format!("organization {org}"),
    }
}
