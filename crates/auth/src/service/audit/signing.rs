//! Signing the audit trail. Nothing is signed that was not checked: a signature under a forged chain would make it genuine.

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signer as _, SigningKey};
use sme_pulse_domain::{
    audit::{Chain, ChainVerifier, Checkpoint, Ending, Finding, PublicKey, Summary, Trust},
    hex::hex,
};
use sme_pulse_persistence::{ChainReader, Item, Store, StoreError, SystemTx, retrying};

use crate::service::{Purpose, ServiceKeys};

/// Signs what the trail is held to later. There is no `Debug`: it holds the key.
pub struct AuditSigner(SigningKey);

impl ServiceKeys {
    /// The signer of the audit trail; its key is derived from the secret, so it changes with it.
    pub fn audit_signer(&self) -> AuditSigner {
        AuditSigner(SigningKey::from_bytes(&self.derive(Purpose::AuditCheckpoint)))
    }
}

impl AuditSigner {
    /// The key that its signatures are checked with.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(self.0.verifying_key())
    }

    /// What a chain is held to before it is signed: checkpoints of this key, and those of an earlier one at their word.
    pub fn trust(&self) -> Trust {
        Trust::new(vec![self.public_key()]).and_others_at_their_word()
    }

    /// A checkpoint of a chain's newest event.
    pub fn checkpoint(&self, (chain, seq, hash): (Chain, i64, String), signed_at: DateTime<Utc>) -> Checkpoint {
        let key_id = self.public_key().id();
        let mut checkpoint = Checkpoint { chain, seq, hash, signed_at, key_id, signature: String::new() };
        checkpoint.signature = self.sign(&checkpoint.statement());
        checkpoint
    }

    /// The same ending with its signature.
    pub fn ending(&self, ending: Ending) -> Ending {
        let signature = self.sign(&ending.statement());
        Ending { signature, ..ending }
    }

    fn sign(&self, statement: &[u8]) -> String {
        hex(&self.0.sign(statement).to_bytes())
    }
}

/// Why a chain was not found whole.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// It is not.
    #[error(transparent)]
    Broken(#[from] Finding),
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks a chain from its first event to its head; a view shows one state of both.
pub async fn check_chain(view: &SystemTx, chain: Chain, trust: Trust) -> Result<Summary, ChainError> {
    let head = view.chain_head(chain).await?;
    let head = head.as_ref().map(|(seq, hash)| (*seq, hash.as_str()));
    check(view.chain(chain), ChainVerifier::new(chain, trust), head).await
}

/// Signs and keeps the head of every chain that has advanced since its last checkpoint and is whole from there on; says
/// how many. One that is broken is in the log as an error, and stays without a signature.
pub async fn sign_checkpoints(store: &Store, signer: &AuditSigner, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let heads = whole_heads(store, signer).await?;
    if heads.is_empty() {
        return Ok(0);
    }
    retrying(|| async {
        let tx = store.begin_system().await?;
        for head in &heads {
            tx.keep_checkpoint(&signer.checkpoint(head.clone(), now)).await?;
        }
        tx.commit().await?;
        Ok(heads.len())
    })
    .await
}

async fn whole_heads(store: &Store, signer: &AuditSigner) -> Result<Vec<(Chain, i64, String)>, StoreError> {
    let view = store.begin_system_read().await?;
    let mut whole = Vec::new();
    for head in view.heads_to_sign().await? {
        match check_since_signed(&view, signer, &head).await {
            Ok(_) => whole.push(head),
            Err(ChainError::Broken(finding)) => {
                tracing::error!(chain = head.0.number(), error = %finding, "Audit chain broken");
            }
            Err(ChainError::Store(error)) => return Err(error),
        }
    }
    Ok(whole)
}

/// Checks a chain from this key's last checkpoint to its head; from its first event when there is none.
async fn check_since_signed(
    view: &SystemTx,
    signer: &AuditSigner,
    (chain, seq, hash): &(Chain, i64, String),
) -> Result<Summary, ChainError> {
    let last = view.last_checkpoint(*chain, (&signer.public_key().id(), *seq)).await?;
    let (reader, verifier) = match last {
        Some(last) => (view.chain_after(*chain, last.seq), ChainVerifier::after(&last, *chain, signer.trust())?),
        None => (view.chain(*chain), ChainVerifier::new(*chain, signer.trust())),
    };
    check(reader, verifier, Some((*seq, hash))).await
}

async fn check(
    mut reader: ChainReader<'_>,
    mut verifier: ChainVerifier,
    head: Option<(i64, &str)>,
) -> Result<Summary, ChainError> {
    loop {
        let batch = reader.next_batch().await?;
        if batch.is_empty() {
            return Ok(verifier.head(head)?);
        }
        for item in &batch {
            match item {
                Item::Event(record) => verifier.event(record)?,
                Item::Checkpoint(checkpoint) => verifier.checkpoint(checkpoint)?,
            }
        }
    }
}
