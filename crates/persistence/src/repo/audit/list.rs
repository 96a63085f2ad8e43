//! An organization's own events, as its owner reads them.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use sme_pulse_domain::{audit::AuditRecord, ids::UserId, tenant::TenantScope};

use super::row;
use crate::{
    StoreError, TenantTx,
    connection::Transaction,
    entity::{TenantOwned, audit_log},
};

/// The trail of the transaction's organization.
pub struct AuditTrail<'a> {
    pub(super) tx: &'a Transaction,
    pub(super) scope: TenantScope,
}

/// Which events are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// What happened.
    pub action: Option<String>,
    /// Who did it.
    pub actor: Option<UserId>,
    /// The kind of row.
    pub entity: Option<String>,
    /// The key of the row.
    pub entity_id: Option<i64>,
    /// Recorded at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    pub before: Option<DateTime<Utc>>,
}

/// An event and the key of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Key.
    pub id: i64,
    /// The event.
    pub record: AuditRecord,
}

impl TenantTx {
    /// The audit trail of this organization.
    pub const fn audit(&self) -> AuditTrail<'_> {
        AuditTrail { tx: self.connection(), scope: self.scope() }
    }
}

impl AuditTrail<'_> {
    /// How many events match, and a part of them, newest first.
    pub async fn list(&self, filter: &AuditFilter, skip: u64, limit: u64) -> Result<(u64, Vec<Listed>), StoreError> {
        let matching = filter.apply(audit_log::Entity::within(self.scope));
        let total = matching.clone().count(self.tx).await?;
        let newest = matching.order_by_desc(audit_log::Column::Seq).offset(skip).limit(limit);
        let rows = newest.all(self.tx).await?;
        Ok((total, rows.into_iter().map(|row| Listed { id: row.id, record: row::record(row) }).collect()))
    }
}

impl AuditFilter {
    fn apply(&self, mut query: Select<audit_log::Entity>) -> Select<audit_log::Entity> {
        use audit_log::Column::{Action, ActorUserId, CreatedAt, Entity, EntityId};
        if let Some(action) = &self.action {
            query = query.filter(Action.eq(action.as_str()));
        }
        if let Some(actor) = self.actor {
            query = query.filter(ActorUserId.eq(actor.get()));
        }
        if let Some(entity) = &self.entity {
            query = query.filter(Entity.eq(entity.as_str()));
        }
        if let Some(id) = self.entity_id {
            query = query.filter(EntityId.eq(id));
        }
        if let Some(from) = self.from {
            query = query.filter(CreatedAt.gte(from));
        }
        if let Some(before) = self.before {
            query = query.filter(CreatedAt.lt(before));
        }
        query
    }
}
