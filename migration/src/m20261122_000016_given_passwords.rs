//! `auth`: whose password was last set by somebody else. Such an account opens no organization but its home, because whoever
//! set the password could enter with it.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::change::NewTables;
use crate::m20261122_000015_row_level_security::confine;
use crate::perform::perform;
use crate::table::Kind::BigInt;
use crate::table::OnDelete::Cascade;
use crate::table::Part::{Column, Now, Org, PrimaryKey, Refers, Unique};
use crate::table::Schema::{Auth, Core};
use crate::table::Table;

const NAME: &str = "m20261122_000016_given_passwords";

#[derive(Debug)]
pub(crate) struct GivenPasswords;

const TABLES: NewTables = NewTables { name: NAME, tables: &[GIVEN_PASSWORDS] };

/// `org_id` is the user's home.
const GIVEN_PASSWORDS: Table = Table {
    schema: Auth,
    name: "given_passwords",
    parts: &[
        Org,
        Column("user_id", BigInt, "NOT NULL"),
        Now("created_at"),
        Now("updated_at"),
        PrimaryKey("org_id, user_id"),
        Unique("user_id"),
        Refers("user_id", Core, "users", "id", Cascade),
    ],
};

/// An organization marks nobody but those who are at home in it.
const AT_HOME: &str = "CREATE POLICY at_home ON auth.given_passwords AS RESTRICTIVE FOR INSERT \
    WITH CHECK (auth.is_at_home(user_id) OR current_setting('sme_pulse.every_tenant', true) = 'on')";

impl MigrationName for GivenPasswords {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for GivenPasswords {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.up(manager).await?;
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            perform(db, &confine("auth.given_passwords")).await?;
            perform(db, AT_HOME).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
