//! `auth`: the keys that access tokens are signed with, and what is left of those that signed before.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::change::NewTables;
use crate::perform::perform;
use crate::table::Kind::{Text, Timestamp, Varchar};
use crate::table::Part::{Check, Column, Now, UniqueWhere};
use crate::table::Schema::Auth;
use crate::table::Table;

const NAME: &str = "m20261122_000018_signing_keys";

#[derive(Debug)]
pub(crate) struct SigningKeys;

const TABLES: NewTables = NewTables { name: NAME, tables: &[SIGNING_KEYS] };

/// `public_key` is `x`, or `x.y`, as in a JWK; `sealed` the encrypted private half, kept only while it may be needed; `mac` says
/// that we made the row, so that nobody can add a key of their own. The shared secret has none of the three. It can be in use beside a
/// key set, so it is not counted as the one current key.
const SIGNING_KEYS: Table = Table {
    schema: Auth,
    name: "signing_keys",
    parts: &[
        Column("kid", Varchar(64), "NOT NULL PRIMARY KEY"),
        Column("algorithm", Varchar(10), "NOT NULL"),
        Column("public_key", Text, ""),
        Column("sealed", Text, ""),
        Column("mac", Varchar(64), ""),
        Column("state", Varchar(10), "NOT NULL"),
        Column("published_at", Timestamp, "NOT NULL"),
        Column("activated_at", Timestamp, ""),
        Column("retired_at", Timestamp, ""),
        Column("verify_until", Timestamp, ""),
        Column("revoked_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        UniqueWhere("state", "state = 'current' AND kid <> 'shared-secret'", "current"),
        UniqueWhere("state", "state = 'next'", "next"),
        Check("algorithm", "algorithm IN ('EdDSA', 'ES256', 'HS256', 'HS384', 'HS512')"),
        Check("state", "state IN ('next', 'current', 'retired', 'revoked')"),
        Check("shared", "(kid = 'shared-secret') = (algorithm LIKE 'HS%')"),
        Check("public", "(public_key IS NULL) = (kid = 'shared-secret') AND (mac IS NULL) = (kid = 'shared-secret')"),
        Check("sealed", "(sealed IS NOT NULL) = (state IN ('next', 'current') AND kid <> 'shared-secret')"),
        Check("ended", "(verify_until IS NOT NULL) = (state IN ('retired', 'revoked'))"),
    ],
};

/// Everybody reads all keys anew, so nobody has to be told which; and a statement that changes nothing is no news.
const NOTICE: &str = "
CREATE FUNCTION auth.notice_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY sme_pulse_changes, 'k';
  RETURN NULL;
END $$;
CREATE TRIGGER notice_keys AFTER INSERT OR UPDATE OR DELETE ON auth.signing_keys
  FOR EACH ROW EXECUTE FUNCTION auth.notice_keys();
CREATE TRIGGER notice_keys_emptied AFTER TRUNCATE ON auth.signing_keys
  FOR EACH STATEMENT EXECUTE FUNCTION auth.notice_keys()";

impl MigrationName for SigningKeys {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SigningKeys {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.up(manager).await?;
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            perform(db, NOTICE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.down(manager).await?;
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            perform(db, "DROP FUNCTION auth.notice_keys()").await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
