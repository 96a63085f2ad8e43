//! What the engine says about itself, for the operator.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement};

use crate::{Engine, Store, StoreError};

/// The oldest PostgreSQL that still gets corrections.
const LEAST_POSTGRES: i32 = 140_000;

/// The engine and its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// Name and version.
    pub version: String,
    /// Whether it is recent enough.
    pub is_supported: bool,
    /// The clock of the server; an embedded engine has none of its own.
    pub now: Option<DateTime<Utc>>,
}

impl Store {
    /// Asks the engine; also a way to see whether it answers.
    pub async fn engine_facts(&self) -> Result<EngineFacts, StoreError> {
        const FACTS: &str = "SELECT current_setting('server_version'), current_setting('server_version_num')::int4, \
            clock_timestamp()";
        let (pool, backend) = (self.pool(), self.pool().get_database_backend());
        let ask = async |sql: &str| {
            let row = pool.query_one_raw(Statement::from_string(backend, sql)).await?;
            row.ok_or(StoreError::Unreadable("answer of the engine"))
        };
        if self.engine() == Engine::Sqlite {
            let version: String = ask("SELECT sqlite_version()").await?.try_get_by_index(0)?;
            return Ok(EngineFacts { version: format!("SQLite {version}"), is_supported: true, now: None });
        }
        let row = ask(FACTS).await?;
        let (version, number): (String, i32) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(EngineFacts {
            version: format!("PostgreSQL {version}"),
            is_supported: number >= LEAST_POSTGRES,
            now: Some(row.try_get_by_index(2)?),
        })
    }
}
