//! `auth`: keys for programs, an organization's and the operator's, the notices that a change of them gives, and the look-ups
//! before it is known whose a key is.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::change::NewTables;
use crate::m20261122_000015_row_level_security::functions::Exception;
use crate::m20261122_000015_row_level_security::{PERSON, close, confine};
use crate::perform::perform;
use crate::table::Kind::{BigInt, Char, Timestamp, Varchar};
use crate::table::OnDelete::Cascade;
use crate::table::Part::{Column, Id, Index, Now, Org, Refers, Unique, UniqueWhere};
use crate::table::Schema::{Auth, Core};
use crate::table::Table;

const NAME: &str = "m20261122_000019_api_keys";

#[derive(Debug)]
pub(crate) struct ApiKeys;

const TABLES: NewTables = NewTables { name: NAME, tables: &[API_KEYS, SERVICE_ACCOUNTS] };

/// The hash is a SHA-256 of 256 random bits, which need no slow one. The creator may be at home elsewhere, so the row refers
/// to the person alone; it goes with them, since it acts for nobody else.
const API_KEYS: Table = Table {
    schema: Auth,
    name: "api_keys",
    parts: &[
        Id,
        Org,
        Column("name", Varchar(100), "NOT NULL"),
        Column("prefix", Char(12), "NOT NULL"),
        Column("key_hash", Char(64), "NOT NULL"),
        Column("permissions", Varchar(1000), "NOT NULL"),
        Column("created_by", BigInt, "NOT NULL"),
        Column("expires_at", Timestamp, ""),
        Column("last_used_at", Timestamp, ""),
        Column("revoked_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        Unique("org_id, id"),
        Unique("prefix"),
        Refers("created_by", Core, "users", "id", Cascade),
        Index("org_id, created_at, id"),
        Index("created_by"),
    ],
};

/// Programs of the operator's: of no organization. A revoked one stays as history and gives its name back.
const SERVICE_ACCOUNTS: Table = Table {
    schema: Auth,
    name: "service_accounts",
    parts: &[
        Id,
        Column("name", Varchar(100), "NOT NULL"),
        Column("prefix", Char(12), "NOT NULL"),
        Column("key_hash", Char(64), "NOT NULL"),
        Column("permissions", Varchar(1000), "NOT NULL"),
        Column("expires_at", Timestamp, ""),
        Column("last_used_at", Timestamp, ""),
        Column("revoked_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        Unique("prefix"),
        UniqueWhere("name", "revoked_at IS NULL", "name"),
    ],
};

/// What is remembered of a key is remembered under its creator, who is told of. Nobody remembers a service account under
/// anything: a notice of a letter that no listener knows concerns everything. The time of last use concerns nobody.
const NOTICES: &str = "
CREATE TRIGGER notice_api_keys
  AFTER UPDATE OF org_id, prefix, key_hash, permissions, created_by, expires_at, revoked_at OR DELETE ON auth.api_keys
  FOR EACH ROW EXECUTE FUNCTION auth.notice_change('u', 'created_by');
CREATE TRIGGER notice_api_keys_emptied AFTER TRUNCATE ON auth.api_keys
  FOR EACH STATEMENT EXECUTE FUNCTION auth.notice_change();
CREATE TRIGGER notice_service_accounts
  AFTER UPDATE OF name, prefix, key_hash, permissions, expires_at, revoked_at OR DELETE ON auth.service_accounts
  FOR EACH ROW EXECUTE FUNCTION auth.notice_change('s', 'id');
CREATE TRIGGER notice_service_accounts_emptied AFTER TRUNCATE ON auth.service_accounts
  FOR EACH STATEMENT EXECUTE FUNCTION auth.notice_change()";

/// Nobody makes a key that acts for somebody else.
fn own() -> String {
    format!(
        "CREATE POLICY own ON auth.api_keys AS RESTRICTIVE FOR INSERT \
         WITH CHECK (created_by = {PERSON} OR current_setting('sme_pulse.every_tenant', true) = 'on')"
    )
}

const FUNCTIONS: [Exception; 3] = [
    Exception {
        name: "find_api_key",
        arguments: "wanted text",
        returns: "TABLE (id bigint, org_id bigint, email text, full_name text, status text, last_login_at timestamptz, \
            in_org_id bigint, org_status text, membership_status text, role_code text, api_key_id bigint, \
            key_hash text, permissions text, key_expires_at timestamptz, key_revoked_at timestamptz)",
        body: "
  RETURN QUERY SELECT u.id, u.org_id, u.email::text, u.full_name::text, u.status::text, u.last_login_at,
      o.id, o.status::text, m.status::text, r.code::text,
      k.id, k.key_hash::text, k.permissions::text, k.expires_at, k.revoked_at
    FROM auth.api_keys k
    JOIN core.users u ON u.id = k.created_by
    JOIN core.organizations o ON o.id = k.org_id
    LEFT JOIN core.user_roles h ON h.user_id = u.id AND h.org_id = o.id
    LEFT JOIN core.roles r ON r.id = h.role_id
    LEFT JOIN auth.memberships m ON m.user_id = u.id AND m.org_id = o.id
    WHERE k.prefix = wanted::char(12);",
    },
    Exception {
        name: "find_service_account",
        arguments: "wanted text",
        returns: "SETOF auth.service_accounts",
        body: "
  RETURN QUERY SELECT s.* FROM auth.service_accounts s WHERE s.prefix = wanted::char(12);",
    },
    Exception {
        name: "note_key_used",
        arguments: "kind text, named text, at timestamptz, not_after timestamptz",
        returns: "bigint",
        body: "
  CASE kind
  WHEN 'api_keys' THEN UPDATE auth.api_keys SET last_used_at = at
    WHERE id = ANY (string_to_array(named, ',')::bigint[]) AND (last_used_at IS NULL OR last_used_at <= not_after);
  WHEN 'service_accounts' THEN UPDATE auth.service_accounts SET last_used_at = at
    WHERE id = ANY (string_to_array(named, ',')::bigint[]) AND (last_used_at IS NULL OR last_used_at <= not_after);
  ELSE RAISE EXCEPTION 'there are no keys in %', kind;
  END CASE;
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
];

impl MigrationName for ApiKeys {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ApiKeys {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.up(manager).await?;
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let walls = [confine("auth.api_keys"), own(), close("auth.service_accounts"), NOTICES.to_owned()];
        for statement in walls.into_iter().chain(FUNCTIONS.iter().map(Exception::create)) {
            perform(db, &statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            for function in &FUNCTIONS {
                perform(db, &function.remove()).await?;
            }
        }
        TABLES.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
