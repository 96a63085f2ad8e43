//! The audit trail: each organization's events get their number and their place in the hash chain here.

mod chain;
mod checkpoints;
mod erase;
mod list;
mod row;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ConnectionTrait, EntityTrait, ExprTrait, NotSet,
    sea_query::{Expr, OnConflict},
};
use sme_pulse_domain::{
    audit::{AuditEvent, Chain, Place},
    rng::Rng,
};

use crate::{
    StoreError,
    entity::{audit_head, audit_log},
    store::{SystemTx, TenantTx},
};
pub use chain::{Batch, ChainReader, Item};
pub use erase::Erased;
pub use list::{AuditFilter, AuditTrail, Listed};

impl TenantTx {
    /// Appends an event of this organization; call it last, since it holds the chain until the commit. Its details name the
    /// key with which the organization was reached, if it was one.
    pub async fn record(&self, mut event: AuditEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
        event.org = Some(self.scope().org());
        if let Some(key) = self.scope().api_key() {
            event = event.by_key(key);
        }
        append(self.connection(), event, now, self.rng()).await
    }
}

impl SystemTx {
    /// Appends an event; call it last, since it holds the chain until the commit.
    pub async fn record(&self, event: AuditEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.act_for(event.org).await?;
        append(self.connection(), event, now, self.rng()).await
    }
}

/// One upsert takes the next number and locks the chain's head, so that parallel writers queue up: no gap, no fork.
async fn append(
    tx: &impl ConnectionTrait,
    event: AuditEvent,
    now: DateTime<Utc>,
    rng: &dyn Rng,
) -> Result<(), StoreError> {
    let chain = event.org.map_or(Chain::Outside, Chain::Of).number();
    let first = audit_head::ActiveModel { chain_id: Set(chain), seq: Set(1), hash: Set("0".repeat(64)) };
    let next = OnConflict::column(audit_head::Column::ChainId)
        .value(audit_head::Column::Seq, Expr::col((audit_head::Entity, audit_head::Column::Seq)).add(1))
        .to_owned();
    let head = audit_head::Entity::insert(first).on_conflict(next).exec_with_returning(tx).await?;

    let prev_hash = (head.seq > 1).then(|| head.hash.clone());
    let record = event.seal(Place { seq: head.seq, prev_hash, created_at: now }, rng);
    let hash = record.hash.clone();
    // Without reading it back: nobody who serves requests may see the events outside any organization.
    audit_log::Entity::insert(row::of(record)).exec_without_returning(tx).await?;
    audit_head::ActiveModel { chain_id: Set(chain), seq: NotSet, hash: Set(hash) }.update(tx).await?;
    Ok(())
}
