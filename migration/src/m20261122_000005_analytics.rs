//! `analytics`: export jobs, alerts and settings.

use crate::change::NewTables;
use crate::table::Kind::{Json, Text, Timestamp, Uuid, Varchar};
use crate::table::Part::{Check, Column, Id, Index, Now, Org, Unique, Who};
use crate::table::Schema::Analytics;
use crate::table::Table;

pub(crate) const CHANGE: NewTables =
    NewTables { name: "m20261122_000005_analytics", tables: &[EXPORT_JOBS, ALERTS, SETTINGS] };

const EXPORT_JOBS: Table = Table {
    schema: Analytics,
    name: "export_jobs",
    parts: &[
        Id,
        Org,
        Column("job_id", Uuid, "NOT NULL"),
        Column("job_type", Varchar(50), "NOT NULL"),
        Column("format", Varchar(10), "NOT NULL DEFAULT 'xlsx'"),
        Column("status", Varchar(20), "NOT NULL DEFAULT 'pending'"),
        Column("file_url", Text, ""),
        Column("error_log", Text, ""),
        Column("job_metadata", Json, "NOT NULL DEFAULT '{}'"),
        Who("created_by"),
        Column("expires_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        Check("job_type", "job_type IN ('ar_aging', 'ap_aging', 'cashflow')"),
        Check("status", "status IN ('pending', 'processing', 'completed', 'failed')"),
        Check("file_url", "status <> 'completed' OR file_url IS NOT NULL"),
        Unique("job_id"),
        Index("org_id, created_at, id"),
        Index("status"),
    ],
};

const ALERTS: Table = Table {
    schema: Analytics,
    name: "alerts",
    parts: &[
        Id,
        Org,
        Column("kind", Varchar(50), "NOT NULL"),
        Column("title", Varchar(255), ""),
        Column("message", Text, ""),
        Column("severity", Varchar(20), "NOT NULL DEFAULT 'info'"),
        Column("status", Varchar(20), "NOT NULL DEFAULT 'new'"),
        Column("alert_metadata", Json, ""),
        Column("dedup_key", Varchar(200), ""),
        Now("created_at"),
        Now("updated_at"),
        Check("severity", "severity IN ('info', 'warning', 'error', 'critical')"),
        Check("status", "status IN ('new', 'read', 'dismissed')"),
        Unique("org_id, dedup_key"),
        Index("org_id, status, created_at, id"),
    ],
};

const SETTINGS: Table = Table {
    schema: Analytics,
    name: "settings",
    parts: &[
        Id,
        Org,
        Column("key", Varchar(100), "NOT NULL"),
        Column("value_json", Json, "NOT NULL"),
        Column("description", Text, ""),
        Now("created_at"),
        Now("updated_at"),
        Unique("org_id, key"),
    ],
};
