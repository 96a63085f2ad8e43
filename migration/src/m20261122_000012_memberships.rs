//! `auth`: organizations that people belong to besides their home, and the notices that a change of it gives.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::change::NewTables;
use crate::perform::perform;
use crate::table::Kind::BigInt;
use crate::table::OnDelete::Cascade;
use crate::table::Part::{Active, Column, Index, Now, Org, PrimaryKey, Refers};
use crate::table::Schema::{Auth, Core};
use crate::table::Table;

const NAME: &str = "m20261122_000012_memberships";

#[derive(Debug)]
pub(crate) struct Memberships;

const TABLES: NewTables = NewTables { name: NAME, tables: &[MEMBERSHIPS] };

/// Who belongs to an organization other than their home; the roles they hold there stand in `core.user_roles`.
const MEMBERSHIPS: Table = Table {
    schema: Auth,
    name: "memberships",
    parts: &[
        Org,
        Column("user_id", BigInt, "NOT NULL"),
        Active,
        Now("created_at"),
        Now("updated_at"),
        PrimaryKey("org_id, user_id"),
        Refers("user_id", Core, "users", "id", Cascade),
        Index("user_id"),
    ],
};

/// PostgreSQL only, as all notices. Nobody can remember a membership that did not exist, so inserting gives none; the
/// roles that come with it do.
const NOTICES: &str = "
CREATE TRIGGER notice_memberships AFTER UPDATE OR DELETE ON auth.memberships
  FOR EACH ROW EXECUTE FUNCTION auth.notice_change('u', 'user_id');
CREATE TRIGGER notice_memberships_emptied AFTER TRUNCATE ON auth.memberships
  FOR EACH STATEMENT EXECUTE FUNCTION auth.notice_change()";

impl MigrationName for Memberships {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Memberships {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.up(manager).await?;
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            perform(db, NOTICES).await?;
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
