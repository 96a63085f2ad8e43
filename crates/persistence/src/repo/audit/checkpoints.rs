//! Signed checkpoints: which chains need one, and keeping it.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, NotSet, QueryFilter, QueryOrder, Statement,
    sea_query::OnConflict,
};
use sme_pulse_domain::audit::{Chain, Checkpoint};

use super::{super::exception, row};
use crate::{
    StoreError, SystemTx,
    entity::{audit_checkpoint, audit_head},
};

/// One look at each head and at the end of an index. A head before the last checkpoint is one too: it was set back.
const ADVANCED: &str = "SELECT chain_id, seq, hash FROM audit_heads h WHERE seq <> \
    (SELECT COALESCE(MAX(c.seq), 0) FROM audit_checkpoints c WHERE c.chain_id = h.chain_id) ORDER BY chain_id";

impl SystemTx {
    /// The heads of all chains that are elsewhere than at their last checkpoint: chain, number, hash.
    pub async fn heads_to_sign(&self) -> Result<Vec<(Chain, i64, String)>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.audit_heads_to_sign()";
        let tx = self.connection();
        let same = || Statement::from_string(tx.get_database_backend(), ADVANCED);
        let statement = exception::call(tx, FUNCTION, []).unwrap_or_else(same);
        let heads: Vec<audit_head::Model> = exception::rows(tx, statement).await?;
        Ok(heads.into_iter().map(|head| (Chain::numbered(head.chain_id), head.seq, head.hash)).collect())
    }

    /// The newest checkpoint that says it is signed with this key, of an event up to this one. Nothing in it is checked.
    #[expect(clippy::disallowed_methods, reason = "a checkpoint names its chain, which may be of no tenant")]
    pub async fn last_checkpoint(
        &self,
        chain: Chain,
        (key_id, until): (&str, i64),
    ) -> Result<Option<Checkpoint>, StoreError> {
        use audit_checkpoint::Column::{ChainId, KeyId, Seq};
        const FUNCTION: &str = "SELECT * FROM auth.last_audit_checkpoint($1, $2, $3)";
        let values = [chain.number().into(), key_id.into(), until.into()];
        if let Some(call) = exception::call(self.connection(), FUNCTION, values) {
            return Ok(exception::rows(self.connection(), call).await?.pop().map(row::checkpoint));
        }
        let query = audit_checkpoint::Entity::find()
            .filter(ChainId.eq(chain.number()))
            .filter(KeyId.eq(key_id))
            .filter(Seq.lte(until))
            .order_by_desc(Seq);
        Ok(query.one(self.connection()).await?.map(row::checkpoint))
    }

    /// Keeps a checkpoint, unless another replica has kept one of the same event.
    pub async fn keep_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        const FUNCTION: &str = "SELECT auth.keep_audit_checkpoint($1, $2, $3, $4, $5, $6)";
        let Checkpoint { chain, seq, hash, signed_at, key_id, signature } = checkpoint.clone();
        let values =
            [chain.number().into(), seq.into(), hash.into(), signed_at.into(), key_id.into(), signature.into()];
        if let Some(call) = exception::call(self.connection(), FUNCTION, values) {
            exception::changed(self.connection(), call).await?;
            return Ok(());
        }
        let row = audit_checkpoint::ActiveModel {
            id: NotSet,
            chain_id: Set(checkpoint.chain.number()),
            seq: Set(checkpoint.seq),
            hash: Set(checkpoint.hash.clone()),
            signed_at: Set(checkpoint.signed_at),
            key_id: Set(checkpoint.key_id.clone()),
            signature: Set(checkpoint.signature.clone()),
        };
        let same = OnConflict::columns([audit_checkpoint::Column::ChainId, audit_checkpoint::Column::Seq])
            .do_nothing()
            .to_owned();
        let insert = audit_checkpoint::Entity::insert(row).on_conflict(same).try_insert();
        insert.exec_without_returning(self.connection()).await?;
        Ok(())
    }
}
