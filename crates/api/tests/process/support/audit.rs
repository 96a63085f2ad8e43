//! The audit trail, read back from the rows and computed again.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use sea_orm::{QueryResult, prelude::Uuid};
use sme_pulse_domain::audit::{AuditRecord, Fields, Place};
use sme_pulse_domain::ids::{OrgId, UserId};
use sme_pulse_testing::Engine;

use super::Home;

/// Every chain starts at 1, has no gap, names the hash before, has the hash of its own content, and ends at its head.
/// Returns how many events there are.
pub(crate) async fn assert_unbroken_audit_trail(home: &Home) -> usize {
    let rows = home.rows("SELECT * FROM auth.audit_log ORDER BY org_id, seq").await;
    let mut heads: HashMap<i64, (i64, String)> = HashMap::new();
    for row in &rows {
        let record = record(row, home.database().engine());
        let (chain, seq) = (record.chain().number(), record.place.seq);
        let before = heads.get(&chain);
        assert_eq!(seq, before.map_or(1, |(seq, _)| seq + 1), "a gap in chain {chain}");
        assert_eq!(record.place.prev_hash.as_ref(), before.map(|(_, hash)| hash), "event {seq} of {chain}");
        assert_eq!(record.computed_hash().as_ref(), Ok(&record.hash), "event {seq} of {chain}");
        heads.insert(chain, (seq, record.hash));
    }
    let stored = home.rows("SELECT * FROM auth.audit_heads").await;
    let stored = stored.iter().map(|row| {
        (row.try_get("", "chain_id").unwrap(), (row.try_get("", "seq").unwrap(), row.try_get("", "hash").unwrap()))
    });
    assert_eq!(stored.collect::<HashMap<i64, (i64, String)>>(), heads);
    rows.len()
}

fn record(row: &QueryResult, engine: Engine) -> AuditRecord {
    let request_id = match engine {
        Engine::Postgres => row.try_get::<Option<Uuid>>("", "request_id").unwrap(),
        Engine::Sqlite => row.try_get::<Option<String>>("", "request_id").unwrap().map(|text| text.parse().unwrap()),
    };
    AuditRecord {
        org: row.try_get::<Option<i64>>("", "org_id").unwrap().map(OrgId::new),
        place: Place {
            seq: row.try_get("", "seq").unwrap(),
            prev_hash: row.try_get("", "prev_hash").unwrap(),
            created_at: created(row, engine),
        },
        actor: row.try_get::<Option<i64>>("", "actor_user_id").unwrap().map(UserId::new),
        action: row.try_get("", "action").unwrap(),
        entity: row.try_get("", "entity").unwrap(),
        entity_id: row.try_get("", "entity_id").unwrap(),
        request_id,
        client_ip: row.try_get("", "client_ip").unwrap(),
        before: members(row, "before"),
        after: members(row, "after"),
        encoding: row.try_get("", "encoding").unwrap(),
        salts: members::<Fields>(row, "salts").unwrap_or_default(),
        erased: members::<Fields>(row, "erased").unwrap_or_default(),
        hash: row.try_get("", "hash").unwrap(),
    }
}

fn created(row: &QueryResult, engine: Engine) -> DateTime<Utc> {
    match engine {
        Engine::Postgres => row.try_get("", "created_at").unwrap(),
        Engine::Sqlite => {
            let text: String = row.try_get("", "created_at").unwrap();
            NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc()
        }
    }
}

fn members<T: serde::de::DeserializeOwned>(row: &QueryResult, column: &str) -> Option<T> {
    let stored: Option<serde_json::Value> = row.try_get("", column).unwrap();
    stored.map(|value| serde_json::from_value(value).unwrap())
}
