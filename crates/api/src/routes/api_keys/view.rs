//! What the routes of keys answer. The text of a key is in one answer, that of its making; its hash is in none.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sme_pulse_auth::service::MadeApiKey;
use sme_pulse_domain::{
    api_key::{ApiKey, KeyKind},
    permission::Permission,
};
use utoipa::ToSchema;

use crate::routes::timestamp;

/// A key, for those who manage them.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyView {
    /// Key of the row.
    id: i64,
    /// What people call it.
    #[schema(example = "Nightly bookkeeping")]
    name: String,
    /// What its text begins with, by which a key found somewhere is told from others.
    #[schema(example = "smep_4fJq0Zt81mWc")]
    prefix: String,
    /// What it may do, as far as its creator may at the time.
    #[schema(example = json!(["read_partners", "read_accounts"]))]
    permissions: Vec<&'static str>,
    /// `active`, `revoked` or `expired`.
    #[schema(example = "active")]
    status: &'static str,
    /// The user for whom it acts.
    created_by: i64,
    /// When it is refused from; null for a key that lives until it is revoked.
    #[schema(format = DateTime, example = "2025-12-20T08:15:30.123456Z")]
    expires_at: Option<String>,
    /// When it was last used, to the minute.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    last_used_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    revoked_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
}

/// A key that has just been made.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeApiKeyView {
    #[serde(flatten)]
    shown: ApiKeyView,
    /// The key itself, for `Authorization: Bearer`. It is shown here and never again.
    #[schema(example = "smep_4fJq0Zt81mWc_…")]
    key: String,
}

impl ApiKeyView {
    pub(super) fn of(key: &ApiKey, now: DateTime<Utc>) -> Self {
        Self {
            id: key.id.get(),
            name: key.name.as_str().to_owned(),
            prefix: format!("{}{}", KeyKind::Organization.mark(), key.prefix),
            permissions: key.permissions.iter().map(Permission::code).collect(),
            status: key.status(now).as_str(),
            created_by: key.created_by.get(),
            expires_at: key.expires_at.map(timestamp),
            last_used_at: key.last_used_at.map(timestamp),
            revoked_at: key.revoked_at.map(timestamp),
            created_at: timestamp(key.created_at),
        }
    }
}

impl From<&MadeApiKey> for MadeApiKeyView {
    fn from(made: &MadeApiKey) -> Self {
        Self { shown: ApiKeyView::of(&made.key, made.key.created_at), key: made.text.expose().to_owned() }
    }
}
