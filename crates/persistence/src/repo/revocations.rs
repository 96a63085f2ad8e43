//! The numbered list of what was taken back before its time. Triggers of the database fill it; from here it is read, tidied, and told
//! of keys.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use sme_pulse_domain::ids::{OrgId, SessionId, UserId};

use super::exception;
use crate::{Store, StoreError, SystemTx, column::StoredUuid};

/// Most rows that one statement removes.
const AT_ONCE: i64 = 500;

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationRow {
    /// Its number. Whoever has seen a number has seen, or could have seen, all below it.
    pub seq: u64,
    /// Whose readers may see it; `None` for a key, which concerns all.
    pub org: Option<OrgId>,
    /// What was taken back.
    pub what: RevokedRow,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedRow {
    /// A session ended.
    Session(SessionId),
    /// A user was deactivated or removed.
    User(UserId),
    /// A role or the membership of the row's organization was taken away.
    Member(UserId),
    /// The organization was suspended.
    Organization,
    /// A signing key must not be trusted any more.
    Key(String),
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    kind: String,
    session_id: Option<StoredUuid>,
    user_id: Option<i64>,
    org_id: Option<i64>,
    kid: Option<String>,
}

impl Store {
    /// What came after a number, in order; what was noted before `since` is left out, because no token lives that long.
    pub async fn revocations_after(
        &self,
        known: u64,
        since: DateTime<Utc>,
        at_most: u32,
    ) -> Result<Vec<RevocationRow>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.revocations_after($1, $2, $3)";
        const SAME: &str = "SELECT * FROM revocations WHERE id > $1 AND created_at >= $2 ORDER BY id LIMIT $3";
        let values = [signed(known).into(), since.into(), i64::from(at_most).into()];
        let rows: Vec<Row> = exception::rows(self.pool(), either(self.pool(), (FUNCTION, SAME), values)).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The number of the newest; 0 while there was none.
    pub async fn newest_revocation(&self) -> Result<u64, StoreError> {
        const FUNCTION: &str = "SELECT auth.newest_revocation()";
        const SAME: &str = "SELECT COALESCE(MAX(id), 0) FROM revocations";
        exception::changed(self.pool(), either(self.pool(), (FUNCTION, SAME), [])).await
    }

    /// Removes what was noted before then, but never the newest; how many rows that were.
    pub async fn remove_old_revocations(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        const FUNCTION: &str = "SELECT auth.remove_old_revocations($1, $2)";
        const SAME: &str = "DELETE FROM revocations WHERE id IN (SELECT id FROM revocations \
            WHERE created_at < $1 AND id < (SELECT MAX(id) FROM revocations) LIMIT $2)";
        let mut all = 0_u64;
        loop {
            let tx = self.begin_system().await?;
            let db = tx.connection();
            let removed = match exception::call(db, FUNCTION, [before.into(), AT_ONCE.into()]) {
                Some(call) => exception::changed(db, call).await?,
                None => {
                    db.execute_raw(either(db, (SAME, SAME), [before.into(), AT_ONCE.into()])).await?.rows_affected()
                }
            };
            tx.commit().await?;
            all = all.saturating_add(removed);
            if removed < AT_ONCE.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}

impl SystemTx {
    /// Notes that a key must not be trusted any more. To be called last in a transaction: it takes the lock of the list.
    pub async fn note_key_revoked(&self, kid: &str) -> Result<(), StoreError> {
        const FUNCTION: &str = "SELECT auth.revoke_key($1)";
        const SAME: &str = "INSERT INTO revocations (kind, kid) VALUES ('key', $1)";
        let db = self.connection();
        if let Some(call) = exception::call(db, FUNCTION, [kid.into()]) {
            exception::changed(db, call).await?;
            return Ok(());
        }
        db.execute_raw(either(db, (SAME, SAME), [kid.into()])).await?;
        Ok(())
    }
}

/// The function on PostgreSQL, else the same statement.
fn either<const N: usize>(
    db: &impl ConnectionTrait,
    (function, same): (&'static str, &'static str),
    values: [Value; N],
) -> Statement {
    let backend = db.get_database_backend();
    let sql = if backend == sea_orm::DbBackend::Postgres { function } else { same };
    Statement::from_sql_and_values(backend, sql, values)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Row {
    fn read(self) -> Result<RevocationRow, StoreError> {
        let user = self.user_id.map(UserId::new);
        let what = match self.kind.as_str() {
            "session" => self.session_id.map(|id| RevokedRow::Session(SessionId::new(id.0))),
            "user" => user.map(RevokedRow::User),
            "member" => user.map(RevokedRow::Member),
            "organization" => Some(RevokedRow::Organization),
            "key" => self.kid.map(RevokedRow::Key),
            _ => None,
        };
        let seq = u64::try_from(self.id).ok();
        let (seq, what) = seq.zip(what).ok_or(StoreError::Unreadable("revocation"))?;
        Ok(RevocationRow { seq, org: self.org_id.map(OrgId::new), what })
    }
}
