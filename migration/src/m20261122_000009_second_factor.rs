//! `auth`: second factors, their recovery codes, log-ins that wait for one, and what a session knows of its holder.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::change::{AddedColumns, NewTables};
use crate::perform::perform;
use crate::table::Kind::{BigInt, Char, Integer, Text, Timestamp, Varchar};
use crate::table::OnDelete::Cascade;
use crate::table::Part::{Check, Column, Id, Index, Now, Org, PrimaryKey, Refers, Unique};
use crate::table::Schema::{Auth, Core};
use crate::table::Table;

const NAME: &str = "m20261122_000009_second_factor";

#[derive(Debug)]
pub(crate) struct SecondFactor;

const TABLES: NewTables = NewTables { name: NAME, tables: &[FACTORS, RECOVERY_CODES, CHALLENGES] };
const COLUMNS: AddedColumns = AddedColumns { name: NAME, tables: &[SESSIONS] };

/// At most one a user. It counts once it is confirmed; `last_step` is the newest time step whose code was used.
const FACTORS: Table = Table {
    schema: Auth,
    name: "mfa_factors",
    parts: &[
        Column("user_id", BigInt, "NOT NULL"),
        Org,
        Column("secret", Text, "NOT NULL"),
        Column("confirmed_at", Timestamp, ""),
        Column("last_step", BigInt, "NOT NULL DEFAULT 0"),
        Now("created_at"),
        Now("updated_at"),
        // The organization's index as well; and SQLite has no index over a key of one integer column.
        PrimaryKey("org_id, user_id"),
        Unique("user_id"),
        Refers("user_id", Core, "users", "id", Cascade),
    ],
};

const RECOVERY_CODES: Table = Table {
    schema: Auth,
    name: "mfa_recovery_codes",
    parts: &[
        Id,
        Column("user_id", BigInt, "NOT NULL"),
        Org,
        Column("code_hash", Char(64), "NOT NULL"),
        Column("used_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        Refers("user_id", Core, "users", "id", Cascade),
        Unique("user_id, code_hash"),
        Index("org_id"),
    ],
};

/// Log-ins whose password was right and whose code is still to come.
const CHALLENGES: Table = Table {
    schema: Auth,
    name: "mfa_challenges",
    parts: &[
        Id,
        Column("user_id", BigInt, "NOT NULL"),
        Org,
        Column("token_hash", Char(64), "NOT NULL"),
        Column("expires_at", Timestamp, "NOT NULL"),
        Column("attempts", Integer, "NOT NULL DEFAULT 0"),
        Column("used_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        Check("attempts", "attempts >= 0"),
        Refers("user_id", Core, "users", "id", Cascade),
        Unique("token_hash"),
        Index("user_id"),
        Index("org_id"),
        Index("expires_at"),
    ],
};

/// Both are NULL in sessions from before, which began with a password when they were opened.
const SESSIONS: Table = Table {
    schema: Auth,
    name: "sessions",
    parts: &[Column("authenticated_at", Timestamp, ""), Column("amr", Varchar(60), "")],
};

/// Replicas remember when the holder of a session last proved who they are.
const NOTICE: &str = "CREATE TRIGGER notice_sessions_proof AFTER UPDATE OF authenticated_at, amr ON auth.sessions \
    FOR EACH ROW EXECUTE FUNCTION auth.notice_change('u', 'user_id')";

impl MigrationName for SecondFactor {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SecondFactor {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.up(manager).await?;
        COLUMNS.up(manager).await?;
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            perform(db, NOTICE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            perform(db, "DROP TRIGGER notice_sessions_proof ON auth.sessions").await?;
        }
        COLUMNS.down(manager).await?;
        TABLES.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
