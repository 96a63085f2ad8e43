//! When sessions and keys were last used: written for many at once, by a background task.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, Statement,
    sea_query::Condition,
};
use sme_pulse_domain::ids::SessionId;

use super::exception;
use crate::{StoreError, column::StoredUuid, entity::session, store::SystemTx};

/// Rows of one statement; PostgreSQL and SQLite take at least this many parameters.
const AT_ONCE: usize = 1_000;

/// Which table a key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyTable {
    /// Keys of organizations.
    ApiKeys,
    /// Keys of the operator's service accounts.
    ServiceAccounts,
}

impl KeyTable {
    const fn name(self) -> &'static str {
        match self {
            Self::ApiKeys => "api_keys",
            Self::ServiceAccounts => "service_accounts",
        }
    }
}

impl SystemTx {
    /// Notes that these keys were used at `at`, except where an instant after `not_after` is known already.
    pub async fn note_keys_used(
        &self,
        table: KeyTable,
        ids: &[i64],
        (at, not_after): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        const FUNCTION: &str = "SELECT auth.note_key_used($1, $2, $3, $4)";
        let db = self.connection();
        for some in ids.chunks(AT_ONCE) {
            let named = some.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let values = [table.name().into(), named.as_str().into(), at.into(), not_after.into()];
            if let Some(call) = exception::call(db, FUNCTION, values) {
                exception::changed(db, call).await?;
                continue;
            }
            let sql = format!(
                "UPDATE {} SET last_used_at = $1 WHERE id IN ({named}) AND (last_used_at IS NULL OR last_used_at <= $2)",
                table.name()
            );
            let values = [at.into(), not_after.into()];
            db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
        }
        Ok(())
    }

    /// Notes that these live sessions were used at `at`, except where an instant after `not_after` is known already.
    #[expect(clippy::disallowed_methods, reason = "requests of all organizations are noted, each by its session's key")]
    pub async fn note_seen(
        &self,
        sessions: &[SessionId],
        at: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const FUNCTION: &str = "SELECT auth.note_seen($1, $2, $3)";
        let seen = session::Column::LastSeenAt.into_simple_expr();
        for some in sessions.chunks(AT_ONCE) {
            let named = some.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            if let Some(call) =
                exception::call(self.connection(), FUNCTION, [named.into(), at.into(), not_after.into()])
            {
                exception::changed(self.connection(), call).await?;
                continue;
            }
            session::Entity::update_many()
                .set(session::ActiveModel { last_seen_at: Set(Some(at)), ..Default::default() })
                .filter(session::Column::Id.into_simple_expr().is_in(some.iter().map(|id| StoredUuid(id.get()))))
                .filter(session::Column::RevokedAt.into_simple_expr().is_null())
                .filter(Condition::any().add(seen.clone().is_null()).add(seen.clone().lte(not_after)))
                .exec(self.connection())
                .await?;
        }
        Ok(())
    }
}
