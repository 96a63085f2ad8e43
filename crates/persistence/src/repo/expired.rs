//! Rows that have had their time, removed a few at a time so that nobody waits for a lock.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{ConnectionTrait, Statement};

use super::exception;
use crate::{Store, StoreError};

/// Rows of one transaction.
const AT_ONCE: usize = 500;

/// A table whose rows expire.
struct Expiring {
    table: &'static str,
    /// Its primary key.
    key: &'static str,
    /// The time after which it is kept for so long.
    since: &'static str,
    kept_days: i64,
}

/// Every table that is swept; `auth.remove_expired` has a case for each.
const TABLES: [Expiring; 6] = [
    Expiring { table: "sessions", key: "id", since: "expires_at", kept_days: 30 },
    Expiring { table: "password_reset_tokens", key: "id", since: "expires_at", kept_days: 1 },
    Expiring { table: "sign_ups", key: "id", since: "expires_at", kept_days: 0 },
    Expiring { table: "mfa_challenges", key: "id", since: "expires_at", kept_days: 0 },
    // A counter begins anew after a day without a guess, so there is nothing to learn from an older one.
    Expiring { table: "guess_counters", key: "key", since: "counted_at", kept_days: 2 },
    Expiring { table: "idempotency_keys", key: "org_id, user_id, key", since: "expires_at", kept_days: 0 },
];

impl Store {
    /// Removes what has expired long enough ago; how many rows that were.
    pub async fn remove_expired(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut all = 0_u64;
        for table in &TABLES {
            let before = now.checked_sub_signed(Duration::days(table.kept_days)).unwrap_or(now);
            loop {
                let removed = self.remove_some(table, before).await?;
                all = all.saturating_add(removed);
                if usize::try_from(removed).is_ok_and(|removed| removed < AT_ONCE) {
                    break;
                }
            }
        }
        Ok(all)
    }

    async fn remove_some(&self, expiring: &Expiring, before: DateTime<Utc>) -> Result<u64, StoreError> {
        const FUNCTION: &str = "SELECT auth.remove_expired($1, $2, $3)";
        let Expiring { table, key, since, .. } = expiring;
        let tx = self.begin_system().await?;
        let db = tx.connection();
        let at_most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        if let Some(call) = exception::call(db, FUNCTION, [(*table).into(), before.into(), at_most.into()]) {
            let removed = exception::changed(db, call).await?;
            tx.commit().await?;
            return Ok(removed);
        }
        // A removal with a trigger that numbers what it adds writes that counter on SQLite, even when nothing is removed.
        let any = format!("SELECT 1 FROM {table} WHERE {since} < $1 LIMIT 1");
        let any = Statement::from_sql_and_values(db.get_database_backend(), any, [before.into()]);
        if db.query_one_raw(any).await?.is_none() {
            return Ok(0);
        }
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {since} < $1 LIMIT {AT_ONCE})"
        );
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [before.into()]);
        let removed = db.execute_raw(statement).await?.rows_affected();
        tx.commit().await?;
        Ok(removed)
    }
}
