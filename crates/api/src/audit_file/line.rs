//! The lines of an exported trail and their values. Their fields stand in the order in which they are written.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sme_pulse_domain::{
    audit::{AuditRecord, Chain, Checkpoint, Details, Ending, Fields, Place},
    ids::{OrgId, UserId},
};
use uuid::Uuid;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    Header(HeaderLine),
    Event(Box<EventLine>),
    Checkpoint(CheckpointLine),
    End(EndLine),
}

#[derive(Serialize, Deserialize)]
pub(super) struct HeaderLine {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) chain: i64,
    pub(super) organization: Option<String>,
    pub(super) exported_at: Instant,
    pub(super) key_id: String,
    pub(super) public_key: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct EventLine {
    seq: i64,
    org_id: Option<i64>,
    action: String,
    actor_user_id: Option<i64>,
    entity: Option<String>,
    entity_id: Option<i64>,
    before: Option<Details>,
    after: Option<Details>,
    client_ip: Option<String>,
    request_id: Option<Uuid>,
    created_at: Instant,
    encoding: i32,
    salts: Fields,
    erased: Fields,
    prev_hash: Option<String>,
    hash: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CheckpointLine {
    chain: i64,
    seq: i64,
    hash: String,
    signed_at: Instant,
    key_id: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct EndLine {
    chain: i64,
    count: i64,
    last_seq: i64,
    last_hash: Option<String>,
    digest: String,
    signature: String,
}

/// An instant in the one form in which it is written: UTC, six digits, `Z`.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Instant(pub(super) DateTime<Utc>);

impl From<Instant> for String {
    fn from(at: Instant) -> Self {
        at.0.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

impl TryFrom<String> for Instant {
    type Error = &'static str;

    /// Through the microseconds, because a leap second has the same as the second after it.
    fn try_from(text: String) -> Result<Self, &'static str> {
        let at = DateTime::parse_from_rfc3339(&text).map_err(|_| "not a timestamp")?;
        DateTime::from_timestamp_micros(at.timestamp_micros()).map(Self).ok_or("not a timestamp")
    }
}

impl From<AuditRecord> for EventLine {
    fn from(record: AuditRecord) -> Self {
        Self {
            seq: record.place.seq,
            org_id: record.org.map(OrgId::get),
            action: record.action,
            actor_user_id: record.actor.map(UserId::get),
            entity: record.entity,
            entity_id: record.entity_id,
            before: record.before,
            after: record.after,
            client_ip: record.client_ip,
            request_id: record.request_id,
            created_at: Instant(record.place.created_at),
            encoding: record.encoding,
            salts: record.salts,
            erased: record.erased,
            prev_hash: record.place.prev_hash,
            hash: record.hash,
        }
    }
}

impl From<EventLine> for AuditRecord {
    fn from(line: EventLine) -> Self {
        Self {
            org: line.org_id.map(OrgId::new),
            place: Place { seq: line.seq, prev_hash: line.prev_hash, created_at: line.created_at.0 },
            actor: line.actor_user_id.map(UserId::new),
            action: line.action,
            entity: line.entity,
            entity_id: line.entity_id,
            request_id: line.request_id,
            client_ip: line.client_ip,
            before: line.before,
            after: line.after,
            encoding: line.encoding,
            salts: line.salts,
            erased: line.erased,
            hash: line.hash,
        }
    }
}

impl From<Checkpoint> for CheckpointLine {
    fn from(checkpoint: Checkpoint) -> Self {
        let Checkpoint { chain, seq, hash, signed_at, key_id, signature } = checkpoint;
        Self { chain: chain.number(), seq, hash, signed_at: Instant(signed_at), key_id, signature }
    }
}

impl From<CheckpointLine> for Checkpoint {
    fn from(line: CheckpointLine) -> Self {
        let CheckpointLine { chain, seq, hash, signed_at, key_id, signature } = line;
        Self { chain: Chain::numbered(chain), seq, hash, signed_at: signed_at.0, key_id, signature }
    }
}

impl From<Ending> for EndLine {
    fn from(ending: Ending) -> Self {
        let Ending { chain, count, last_seq, last_hash, digest, signature } = ending;
        Self { chain: chain.number(), count, last_seq, last_hash, digest, signature }
    }
}

impl From<EndLine> for Ending {
    fn from(line: EndLine) -> Self {
        let EndLine { chain, count, last_seq, last_hash, digest, signature } = line;
        Self { chain: Chain::numbered(chain), count, last_seq, last_hash, digest, signature }
    }
}
