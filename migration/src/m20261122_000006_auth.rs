//! `auth`: sessions, password resets, the audit trail and the answers kept for repeated requests.

use crate::change::NewTables;
use crate::table::Kind::{BigInt, Char, Integer, Json, Text, Timestamp, Uuid, Varchar};
use crate::table::OnDelete::{Cascade, Restrict};
use crate::table::Part::{Column, Id, Index, Now, Org, PrimaryKey, Refers, Unique, Who};
use crate::table::Schema::{Auth, Core};
use crate::table::Table;

pub(crate) const CHANGE: NewTables = NewTables {
    name: "m20261122_000006_auth",
    tables: &[SESSIONS, PASSWORD_RESET_TOKENS, AUDIT_LOG, AUDIT_HEADS, IDEMPOTENCY_KEYS],
};

const SESSIONS: Table = Table {
    schema: Auth,
    name: "sessions",
    parts: &[
        Column("id", Uuid, "NOT NULL PRIMARY KEY"),
        Column("user_id", BigInt, "NOT NULL"),
        Org,
        Column("expires_at", Timestamp, "NOT NULL"),
        Column("last_seen_at", Timestamp, ""),
        Column("refresh_counter", BigInt, "NOT NULL DEFAULT 0"),
        Column("revoked_at", Timestamp, ""),
        Column("revoke_reason", Varchar(30), ""),
        Column("client_ip", Varchar(45), ""),
        Column("user_agent", Varchar(255), ""),
        Now("created_at"),
        Now("updated_at"),
        Refers("user_id", Core, "users", "id", Cascade),
        Index("user_id, revoked_at"),
        Index("org_id"),
        Index("expires_at"),
    ],
};

const PASSWORD_RESET_TOKENS: Table = Table {
    schema: Auth,
    name: "password_reset_tokens",
    parts: &[
        Id,
        Column("user_id", BigInt, "NOT NULL"),
        Column("token_hash", Char(64), "NOT NULL"),
        Column("expires_at", Timestamp, "NOT NULL"),
        Column("used_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        Refers("user_id", Core, "users", "id", Cascade),
        Unique("token_hash"),
        Index("user_id"),
    ],
};

/// Append-only. Rows without an organization are the events outside any.
const AUDIT_LOG: Table = Table {
    schema: Auth,
    name: "audit_log",
    parts: &[
        Id,
        Column("org_id", BigInt, ""),
        Who("actor_user_id"),
        Column("action", Varchar(60), "NOT NULL"),
        Column("entity", Varchar(60), ""),
        Column("entity_id", BigInt, ""),
        Column("before", Json, ""),
        Column("after", Json, ""),
        Column("request_id", Uuid, ""),
        Column("client_ip", Varchar(45), ""),
        Column("seq", BigInt, "NOT NULL"),
        Column("prev_hash", Char(64), ""),
        Column("hash", Char(64), "NOT NULL"),
        Now("created_at"),
        Refers("org_id", Core, "organizations", "id", Restrict),
        Unique("org_id, seq"),
        Index("org_id, created_at, id"),
        Index("actor_user_id"),
    ],
};

/// The newest event of each chain; whoever appends locks this row first. `chain_id` is the organization, or 0 for
/// the events outside any, so it refers to nothing.
const AUDIT_HEADS: Table = Table {
    schema: Auth,
    name: "audit_heads",
    parts: &[
        Column("chain_id", BigInt, "NOT NULL PRIMARY KEY"),
        Column("seq", BigInt, "NOT NULL"),
        Column("hash", Char(64), "NOT NULL"),
    ],
};

/// A `status_code` of NULL means that the first request is still running.
const IDEMPOTENCY_KEYS: Table = Table {
    schema: Auth,
    name: "idempotency_keys",
    parts: &[
        Org,
        Column("user_id", BigInt, "NOT NULL"),
        Column("key", Varchar(255), "NOT NULL"),
        Column("method", Varchar(10), "NOT NULL"),
        Column("path", Text, "NOT NULL"),
        Column("request_hash", Char(64), "NOT NULL"),
        Column("status_code", Integer, ""),
        Column("response_body", Text, ""),
        Column("expires_at", Timestamp, "NOT NULL"),
        Now("created_at"),
        Now("updated_at"),
        PrimaryKey("org_id, user_id, key"),
        Refers("user_id", Core, "users", "id", Cascade),
        Index("user_id"),
        Index("expires_at"),
    ],
};
