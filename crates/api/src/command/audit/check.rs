//! `sme-pulse audit check`: the chains as they are in the database, against their heads and checkpoints.

use anyhow::anyhow;
use sme_pulse_auth::service::AuditSigner;
use sme_pulse_domain::audit::{Chain, ChainVerifier, PublicKey, Trust};
use sme_pulse_persistence::{Item, Store, SystemTx};

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
        let checked = check(&tx, chain, trust.clone()).await;
        print(&format!("OK: {}: {}", name(chain), checked?));
    }
    Ok(())
}

async fn check(tx: &SystemTx, chain: Chain, trust: Trust) -> anyhow::Result<String> {
    let named = |finding| anyhow!("{}: {finding}", name(chain));
    let head = tx.chain_head(chain).await?;
    let mut verifier = ChainVerifier::new(chain, trust);
    let mut reader = tx.chain(chain);
    loop {
        let batch = reader.next_batch().await?;
        if batch.is_empty() {
            break;
        }
        for item in batch {
            let checked = match &item {
                Item::Event(record) => verifier.event(record),
                Item::Checkpoint(checkpoint) => verifier.checkpoint(checkpoint),
            };
            checked.map_err(named)?;
        }
    }
    let head = head.as_ref().map(|(seq, hash)| (*seq, hash.as_str()));
    Ok(shown(&verifier.head(head).map_err(named)?))
}

fn name(chain: Chain) -> String {
    match chain {
        Chain::Outside => "outside any organization".to_owned(),
        Chain::Of(org) => format!("organization {org}"),
    }
}
