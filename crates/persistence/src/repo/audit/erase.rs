//! Taking a person's data out of the events about them.

use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use sme_pulse_domain::ids::UserId;

use super::{AuditTrail, row};
use crate::{
    StoreError,
    entity::{TenantOwned, audit_log},
};

/// Events changed in one transaction.
const BATCH: u64 = 200;

/// What one batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// How many events lost personal data.
    pub events: u64,
    /// After which event the next batch begins; `None` when there is nothing left.
    pub next: Option<i64>,
}

impl AuditTrail<'_> {
    /// Takes the personal data out of the next events that a user caused or that are about them. The chain stays whole.
    pub async fn erase(&self, user: UserId, after: i64) -> Result<Erased, StoreError> {
        let rows = audit_log::Entity::within(self.scope)
            .filter(of(user))
            .filter(audit_log::Column::Salts.is_not_null())
            .filter(audit_log::Column::Seq.gt(after))
            .order_by_asc(audit_log::Column::Seq)
            .limit(BATCH)
            .lock_exclusive()
            .all(self.tx)
            .await?;
        let full = rows.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        let next = rows.last().map(|row| row.seq).filter(|_| full);
        let mut events = 0_u64;
        for stored in rows {
            events = events.saturating_add(u64::from(self.erase_one(stored).await?));
        }
        Ok(Erased { events, next })
    }

    /// How many events of the first encoding hold an address, which cannot be taken out without breaking the chain.
    pub async fn not_erasable(&self, user: UserId) -> Result<u64, StoreError> {
        let rows = audit_log::Entity::within(self.scope)
            .filter(of(user))
            .filter(audit_log::Column::Encoding.eq(1))
            .filter(audit_log::Column::ClientIp.is_not_null());
        Ok(rows.count(self.tx).await?)
    }

    async fn erase_one(&self, stored: audit_log::Model) -> Result<bool, StoreError> {
        let id = stored.id;
        let mut record = row::record(stored);
        if !record.erase().map_err(|_| StoreError::Unreadable("audit event"))? {
            return Ok(false);
        }
        let done = audit_log::Entity::update_within(self.scope)
            .set(audit_log::ActiveModel {
                client_ip: Set(record.client_ip),
                before: Set(record.before.as_ref().map(row::details_json)),
                after: Set(record.after.as_ref().map(row::details_json)),
                salts: Set(None),
                erased: Set(row::fields_json(record.erased)),
                ..Default::default()
            })
            .filter(audit_log::Column::Id.eq(id))
            .exec(self.tx)
            .await?;
        Ok(done.rows_affected > 0)
    }
}

fn of(user: UserId) -> Condition {
    let about =
        Condition::all().add(audit_log::Column::Entity.eq("users")).add(audit_log::Column::EntityId.eq(user.get()));
    Condition::any().add(audit_log::Column::ActorUserId.eq(user.get())).add(about)
}
