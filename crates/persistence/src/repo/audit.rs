//! The audit trail: each organization's events get their number and their place in the hash chain here.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ConnectionTrait, EntityTrait, ExprTrait, NotSet,
    sea_query::{Expr, OnConflict},
};
use sme_pulse_domain::audit::{AuditEvent, AuditRecord, Details};

use crate::{
    StoreError,
    column::StoredUuid,
    entity::{audit_head, audit_log},
    store::{SystemTx, TenantTx},
};

/// The chain of events that belong to no organization.
const OUTSIDE: i64 = 0;

impl TenantTx {
    /// Appends an event of this organization; call it last, since it holds the chain until the commit.
    pub async fn record(&self, mut event: AuditEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
        event.org = Some(self.scope().org());
        append(self.connection(), event, now).await
    }
}

impl SystemTx {
    /// Appends an event; call it last, since it holds the chain until the commit.
    pub async fn record(&self, event: AuditEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
        append(self.connection(), event, now).await
    }
}

/// One upsert takes the next number and locks the chain's head, so that parallel writers queue up: no gap, no fork.
async fn append(tx: &impl ConnectionTrait, event: AuditEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
    let chain = event.org.map_or(OUTSIDE, sme_pulse_domain::ids::OrgId::get);
    let first = audit_head::ActiveModel { chain_id: Set(chain), seq: Set(1), hash: Set("0".repeat(64)) };
    let next = OnConflict::column(audit_head::Column::ChainId)
        .value(audit_head::Column::Seq, Expr::col((audit_head::Entity, audit_head::Column::Seq)).add(1))
        .to_owned();
    let head = audit_head::Entity::insert(first).on_conflict(next).exec_with_returning(tx).await?;

    let prev_hash = (head.seq > 1).then(|| head.hash.clone());
    let record = AuditRecord { event, seq: head.seq, prev_hash, created_at: now };
    let hash = record.hash();
    row(&record, &hash).insert(tx).await?;
    audit_head::ActiveModel { chain_id: Set(chain), seq: NotSet, hash: Set(hash) }.update(tx).await?;
    Ok(())
}

fn row(record: &AuditRecord, hash: &str) -> audit_log::ActiveModel {
    let event = &record.event;
    audit_log::ActiveModel {
        id: NotSet,
        org_id: Set(event.org.map(sme_pulse_domain::ids::OrgId::get)),
        actor_user_id: Set(event.actor.map(sme_pulse_domain::ids::UserId::get)),
        action: Set(event.action.as_str().to_owned()),
        entity: Set(event.entity.map(str::to_owned)),
        entity_id: Set(event.entity_id),
        before: Set(event.before.as_ref().map(json)),
        after: Set(event.after.as_ref().map(json)),
        request_id: Set(event.origin.request_id.map(StoredUuid)),
        client_ip: Set(event.origin.client_ip.clone()),
        seq: Set(record.seq),
        prev_hash: Set(record.prev_hash.clone()),
        hash: Set(hash.to_owned()),
        created_at: Set(record.created_at),
    }
}

fn json(details: &Details) -> serde_json::Value {
    details.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<serde_json::Map<_, _>>().into()
}
