//! What the audit trail answers.

use serde::Serialize;
use sme_pulse_domain::{audit::Details, ids::UserId};
use sme_pulse_persistence::Listed;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::routes::timestamp;

/// One event.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEventView {
    /// Key.
    id: i64,
    /// Its number in the organization, from 1, without gaps.
    seq: i64,
    /// What happened.
    #[schema(example = "auth.log_in")]
    action: String,
    /// The user who did it; null for commands and for people who are not known.
    actor_user_id: Option<i64>,
    /// The kind of row it is about.
    #[schema(example = "users")]
    entity: Option<String>,
    /// The key of that row.
    entity_id: Option<i64>,
    /// The changed fields before.
    #[schema(value_type = Option<std::collections::HashMap<String, Option<String>>>)]
    before: Option<Details>,
    /// The changed fields after.
    #[schema(value_type = Option<std::collections::HashMap<String, Option<String>>>)]
    after: Option<Details>,
    /// The client's address; null for commands and when it was erased.
    client_ip: Option<String>,
    /// The request that caused it.
    request_id: Option<Uuid>,
    /// When it was recorded.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
    /// Its hash in the chain.
    hash: String,
    /// The personal fields that were erased.
    #[schema(example = json!(["client_ip", "after.email"]))]
    erased: Vec<String>,
}

impl From<Listed> for AuditEventView {
    fn from(Listed { id, record }: Listed) -> Self {
        Self {
            id,
            seq: record.place.seq,
            action: record.action,
            actor_user_id: record.actor.map(UserId::get),
            entity: record.entity,
            entity_id: record.entity_id,
            before: record.before,
            after: record.after,
            client_ip: record.client_ip,
            request_id: record.request_id,
            created_at: timestamp(record.place.created_at),
            hash: record.hash,
            erased: record.erased.into_keys().collect(),
        }
    }
}
