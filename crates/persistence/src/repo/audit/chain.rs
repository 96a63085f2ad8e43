//! A whole chain in its order, page by page, whatever its length.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sme_pulse_domain::{
    audit::{AuditRecord, Chain, Checkpoint},
    ids::OrgId,
    status::Status,
};

use super::{super::exception, row};
use crate::{
    StoreError, SystemTx,
    entity::{audit_checkpoint, audit_head, audit_log, organization},
};

/// Events read at once; each may hold two bodies of a request.
const PAGE: u64 = 200;

/// One line of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(Box<AuditRecord>),
    /// A checkpoint; it comes right after its event.
    Checkpoint(Checkpoint),
}

/// The next items, in order.
pub type Batch = Vec<Item>;

/// Reads a chain from its first event to its last.
pub struct ChainReader<'a> {
    tx: &'a SystemTx,
    chain: Chain,
    /// Number and key of the last event read: a spoilt table may hold a number twice.
    after: (i64, i64),
    done: bool,
}

impl SystemTx {
    /// A reader of one chain. In a read view it sees one state, however long it takes.
    pub const fn chain(&self, chain: Chain) -> ChainReader<'_> {
        ChainReader { tx: self, chain, after: (i64::MIN, i64::MIN), done: false }
    }

    /// A reader of what follows an event.
    pub const fn chain_after(&self, chain: Chain, seq: i64) -> ChainReader<'_> {
        ChainReader { tx: self, chain, after: (seq, i64::MAX), done: false }
    }

    /// The number and hash of a chain's newest event.
    #[expect(clippy::disallowed_methods, reason = "the command that reads a chain acts for the operator")]
    pub async fn chain_head(&self, chain: Chain) -> Result<Option<(i64, String)>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.audit_head_of($1)";
        if let Some(call) = exception::call(self.connection(), FUNCTION, [chain.number().into()]) {
            let head = exception::rows::<audit_head::Model>(self.connection(), call).await?.pop();
            return Ok(head.map(|head| (head.seq, head.hash)));
        }
        let head = audit_head::Entity::find_by_id(chain.number()).one(self.connection()).await?;
        Ok(head.map(|head| (head.seq, head.hash)))
    }

    /// All chains that have a head, an event or a checkpoint, in order of their numbers. For the operator's store: others see
    /// none on PostgreSQL.
    #[expect(clippy::disallowed_methods, reason = "the command that checks all chains acts for the operator")]
    pub async fn chains(&self) -> Result<Vec<Chain>, StoreError> {
        let tx = self.connection();
        let heads = audit_head::Entity::find().select_only().column(audit_head::Column::ChainId);
        let mut numbers: BTreeSet<i64> = heads.into_tuple().all(tx).await?.into_iter().collect();
        let owners = audit_log::Entity::find().select_only().column(audit_log::Column::OrgId).distinct();
        let owners: Vec<Option<i64>> = owners.into_tuple().all(tx).await?;
        numbers.extend(owners.into_iter().map(Option::unwrap_or_default));
        let signed =
            audit_checkpoint::Entity::find().select_only().column(audit_checkpoint::Column::ChainId).distinct();
        numbers.extend(signed.into_tuple::<i64>().all(tx).await?);
        Ok(numbers.into_iter().map(Chain::numbered).collect())
    }

    /// The organizations with names and status, by id. For the operator's store: others see none on PostgreSQL.
    #[expect(clippy::disallowed_methods, reason = "the command that shows organizations acts for the operator")]
    pub async fn organizations(&self) -> Result<Vec<(OrgId, String, Status)>, StoreError> {
        let rows = organization::Entity::find().order_by_asc(organization::Column::Id).all(self.connection()).await?;
        let read = |row: organization::Model| {
            let status = row.status.parse().map_err(|_| StoreError::Unreadable("status"))?;
            Ok((OrgId::new(row.id), row.name, status))
        };
        rows.into_iter().map(read).collect()
    }

    /// Names of the organizations, by id. For the operator's store: others see none on PostgreSQL.
    #[expect(clippy::disallowed_methods, reason = "the command that names organizations acts for the operator")]
    pub async fn organization_names(&self) -> Result<Vec<(OrgId, String)>, StoreError> {
        let rows = organization::Entity::find().order_by_asc(organization::Column::Id).all(self.connection()).await?;
        Ok(rows.into_iter().map(|row| (OrgId::new(row.id), row.name)).collect())
    }
}

impl ChainReader<'_> {
    /// The next items; none when the chain has ended. Checkpoints of events that are not there come last.
    pub async fn next_batch(&mut self) -> Result<Batch, StoreError> {
        if self.done {
            return Ok(Batch::new());
        }
        let rows = self.events().await?;
        self.done = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let before = self.after.0;
        if let Some(last) = rows.last() {
            self.after = (last.seq, last.id);
        }
        let until = if self.done { i64::MAX } else { self.after.0 };
        let mut checkpoints = self.checkpoints(before, until).await?.into_iter().peekable();
        let mut batch = Batch::new();
        for event in rows {
            while let Some(earlier) = checkpoints.next_if(|checkpoint| checkpoint.seq < event.seq) {
                batch.push(Item::Checkpoint(earlier));
            }
            batch.push(Item::Event(Box::new(row::record(event))));
        }
        batch.extend(checkpoints.map(Item::Checkpoint));
        Ok(batch)
    }

    #[expect(clippy::disallowed_methods, reason = "the chain is the tenant's, or that of no tenant")]
    async fn events(&self) -> Result<Vec<audit_log::Model>, StoreError> {
        use audit_log::Column::{Id, OrgId, Seq};
        const FUNCTION: &str = "SELECT * FROM auth.audit_events_of($1, $2, $3, $4)";
        let (seq, id) = self.after;
        let values = [self.chain.number().into(), seq.into(), id.into(), PAGE.cast_signed().into()];
        if let Some(call) = exception::call(self.tx.connection(), FUNCTION, values) {
            return exception::rows(self.tx.connection(), call).await;
        }
        let owner = self.chain.org().map_or_else(|| OrgId.is_null(), |org| OrgId.eq(org.get()));
        let later = Condition::any().add(Seq.gt(seq)).add(Condition::all().add(Seq.eq(seq)).add(Id.gt(id)));
        let query = audit_log::Entity::find().filter(owner).filter(later).order_by_asc(Seq).order_by_asc(Id);
        Ok(query.limit(PAGE).all(self.tx.connection()).await?)
    }

    /// Those after one event, up to another.
    #[expect(clippy::disallowed_methods, reason = "a checkpoint names its chain, which may be of no tenant")]
    async fn checkpoints(&self, after: i64, until: i64) -> Result<Vec<Checkpoint>, StoreError> {
        use audit_checkpoint::Column::{ChainId, Seq};
        const FUNCTION: &str = "SELECT * FROM auth.audit_checkpoints_of($1, $2, $3)";
        let values = [self.chain.number().into(), after.into(), until.into()];
        if let Some(call) = exception::call(self.tx.connection(), FUNCTION, values) {
            let found = exception::rows(self.tx.connection(), call).await?;
            return Ok(found.into_iter().map(row::checkpoint).collect());
        }
        let query = audit_checkpoint::Entity::find()
            .filter(ChainId.eq(self.chain.number()))
            .filter(Seq.gt(after))
            .filter(Seq.lte(until))
            .order_by_asc(Seq);
        Ok(query.all(self.tx.connection()).await?.into_iter().map(row::checkpoint).collect())
    }
}
