//! Rows of the trail to records and back. Reading is lenient: a row that somebody has spoilt becomes a record whose
//! hash does not fit, so that the verifier can name it.

use sea_orm::{ActiveValue::Set, NotSet};
use serde_json::{Map, Value};
use sme_pulse_domain::{
    audit::{AuditRecord, Chain, Checkpoint, Details, Fields, Place},
    ids::{OrgId, UserId},
};

use crate::{
    column::StoredUuid,
    entity::{audit_checkpoint, audit_log},
};

pub(super) fn of(record: AuditRecord) -> audit_log::ActiveModel {
    audit_log::ActiveModel {
        id: NotSet,
        org_id: Set(record.org.map(OrgId::get)),
        actor_user_id: Set(record.actor.map(UserId::get)),
        action: Set(record.action),
        entity: Set(record.entity),
        entity_id: Set(record.entity_id),
        before: Set(record.before.as_ref().map(details_json)),
        after: Set(record.after.as_ref().map(details_json)),
        request_id: Set(record.request_id.map(StoredUuid)),
        client_ip: Set(record.client_ip),
        seq: Set(record.place.seq),
        prev_hash: Set(record.place.prev_hash),
        hash: Set(record.hash),
        created_at: Set(record.place.created_at),
        encoding: Set(record.encoding),
        salts: Set(fields_json(record.salts)),
        erased: Set(fields_json(record.erased)),
    }
}

pub(super) fn record(row: audit_log::Model) -> AuditRecord {
    AuditRecord {
        org: row.org_id.map(OrgId::new),
        place: Place { seq: row.seq, prev_hash: row.prev_hash, created_at: row.created_at },
        actor: row.actor_user_id.map(UserId::new),
        action: row.action,
        entity: row.entity,
        entity_id: row.entity_id,
        request_id: row.request_id.map(|id| id.0),
        client_ip: row.client_ip,
        before: row.before.map(details),
        after: row.after.map(details),
        encoding: row.encoding,
        salts: fields(row.salts),
        erased: fields(row.erased),
        hash: row.hash,
    }
}

pub(super) fn checkpoint(row: audit_checkpoint::Model) -> Checkpoint {
    Checkpoint {
        chain: Chain::numbered(row.chain_id),
        seq: row.seq,
        hash: row.hash,
        signed_at: row.signed_at,
        key_id: row.key_id,
        signature: row.signature,
    }
}

pub(super) fn details_json(details: &Details) -> Value {
    details.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<Map<_, _>>().into()
}

/// `None` when there are none.
pub(super) fn fields_json(fields: Fields) -> Option<Value> {
    let members: Map<_, _> = fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    (!members.is_empty()).then(|| members.into())
}

/// Whatever is no text or null was not written here.
fn details(stored: Value) -> Details {
    members(stored)
        .map(|(name, value)| match value {
            Value::Null => (name, None),
            Value::String(text) => (name, Some(text)),
            other => (name, Some(format!("(no text) {other}"))),
        })
        .collect()
}

fn fields(stored: Option<Value>) -> Fields {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    stored.into_iter().flat_map(members).map(|(name, value)| (name, text(value))).collect()
}

fn members(stored: Value) -> impl Iterator<Item = (String, Value)> {
    match stored {
        Value::Object(members) => members,
        other => Map::from_iter([("(no object)".to_owned(), other)]),
    }
    .into_iter()
}
