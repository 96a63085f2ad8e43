//! `auth`: the numbered list of what was taken back before its time. Triggers fill it, whoever makes the change, so that services
//! elsewhere learn of it.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::change::NewTables;
use crate::m20261122_000015_row_level_security::{close, functions::Exception};
use crate::perform::perform;
use crate::table::Kind::{BigInt, Uuid, Varchar};
use crate::table::Part::{Check, Column, Id, Index, Now};
use crate::table::Schema::Auth;
use crate::table::Table;

const NAME: &str = "m20261122_000017_revocations";

#[derive(Debug)]
pub(crate) struct Revocations;

const TABLES: NewTables = NewTables { name: NAME, tables: &[REVOCATIONS] };

/// `id` is the number, which is never given again. `org_id` says whom it concerns; for a user that is their home. Nothing is referred
/// to: what is named may be gone.
const REVOCATIONS: Table = Table {
    schema: Auth,
    name: "revocations",
    parts: &[
        Id,
        Column("kind", Varchar(20), "NOT NULL"),
        Column("session_id", Uuid, ""),
        Column("user_id", BigInt, ""),
        Column("org_id", BigInt, ""),
        Column("kid", Varchar(64), ""),
        Now("created_at"),
        Check(
            "named",
            "(kind = 'session' AND session_id IS NOT NULL AND org_id IS NOT NULL) \
             OR (kind = 'user' AND user_id IS NOT NULL AND org_id IS NOT NULL) \
             OR (kind = 'member' AND user_id IS NOT NULL AND org_id IS NOT NULL) \
             OR (kind = 'organization' AND org_id IS NOT NULL) OR (kind = 'key' AND kid IS NOT NULL)",
        ),
        Index("created_at"),
    ],
};

/// A change that takes something back.
struct Source {
    /// Of the trigger, and of its function on PostgreSQL.
    name: &'static str,
    /// Schema and table.
    table: (&'static str, &'static str),
    event: &'static str,
    /// Of `OLD` and `NEW`; what is never true when rows are merely tidied away.
    when: &'static str,
    /// Kind, session, user, organization, and where they are taken from besides the row.
    inserts: &'static [(&'static str, &'static str)],
}

/// A user who is gone everywhere is gone in every organization they belong to, whose readers see their own rows only.
const USER: &[(&str, &str)] = &[
    ("'user', NULL, OLD.id, OLD.org_id", ""),
    ("'member', NULL, OLD.id, m.org_id", " FROM $auth.memberships m WHERE m.user_id = OLD.id"),
];
const SESSION: &[(&str, &str)] = &[("'session', OLD.id, OLD.user_id, OLD.org_id", "")];
const MEMBER: &[(&str, &str)] = &[("'member', NULL, OLD.user_id, OLD.org_id", "")];
const ORGANIZATION: &[(&str, &str)] = &[("'organization', NULL, NULL, OLD.id", "")];

/// An expired session that is removed ended long ago by itself: `$now` is the present as this engine stores times.
const SOURCES: [Source; 9] = [
    Source {
        name: "revoke_session",
        table: ("auth", "sessions"),
        event: "UPDATE OF revoked_at",
        when: "OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL",
        inserts: SESSION,
    },
    Source {
        name: "revoke_session_removed",
        table: ("auth", "sessions"),
        event: "DELETE",
        when: "OLD.revoked_at IS NULL AND OLD.expires_at > $now",
        inserts: SESSION,
    },
    Source {
        name: "revoke_user",
        table: ("core", "users"),
        event: "UPDATE OF status",
        when: "OLD.status = 'active' AND NEW.status <> 'active'",
        inserts: USER,
    },
    Source { name: "revoke_user_removed", table: ("core", "users"), event: "DELETE", when: "true", inserts: USER },
    Source { name: "revoke_role", table: ("core", "user_roles"), event: "DELETE", when: "true", inserts: MEMBER },
    Source {
        name: "revoke_role_changed",
        table: ("core", "user_roles"),
        event: "UPDATE OF user_id, org_id, role_id",
        when: "OLD.user_id <> NEW.user_id OR OLD.org_id <> NEW.org_id OR OLD.role_id <> NEW.role_id",
        inserts: MEMBER,
    },
    Source {
        name: "revoke_membership",
        table: ("auth", "memberships"),
        event: "UPDATE OF status",
        when: "OLD.status = 'active' AND NEW.status <> 'active'",
        inserts: MEMBER,
    },
    Source {
        name: "revoke_membership_removed",
        table: ("auth", "memberships"),
        event: "DELETE",
        when: "true",
        inserts: MEMBER,
    },
    Source {
        name: "revoke_organization",
        table: ("core", "organizations"),
        event: "UPDATE OF status",
        when: "OLD.status = 'active' AND NEW.status <> 'active'",
        inserts: ORGANIZATION,
    },
];

impl Source {
    /// On PostgreSQL the rows are written when the transaction commits, under one lock: so they become visible in the order of
    /// their numbers, which a reader relies on that asks for what came after the last one it has seen. The lock is the last
    /// that a transaction takes, so nobody waits in a circle.
    fn on_postgres(&self) -> String {
        let Self { name, table: (schema, table), event, when, inserts } = self;
        let inserts = inserts
            .iter()
            .map(|(values, from)| {
                let from = from.replace('$', "");
                format!("  INSERT INTO auth.revocations (kind, session_id, user_id, org_id) SELECT {values}{from};\n")
            })
            .collect::<Vec<_>>()
            .concat();
        let when = when.replace("$now", "now()");
        format!(
            "CREATE FUNCTION auth.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
             SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  was text := coalesce(current_setting('sme_pulse.every_tenant', true), '');
  setting text := set_config('sme_pulse.every_tenant', 'on', true);
BEGIN
  PERFORM pg_advisory_xact_lock({LOCK});
{inserts}  PERFORM pg_notify('sme_pulse_changes', 'r');
  setting := set_config('sme_pulse.every_tenant', was, true);
  RETURN NULL;
END $$; REVOKE ALL ON FUNCTION auth.{name}() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON {schema}.{table} DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION auth.{name}()"
        )
    }

    /// On SQLite there is one writer, so numbers are in order by themselves.
    fn on_sqlite(&self) -> String {
        let Self { name, table: (_, table), event, when, inserts } = self;
        let inserts = inserts
            .iter()
            .map(|(values, from)| {
                let from = from.replace("$auth.", "");
                format!("INSERT INTO revocations (kind, session_id, user_id, org_id) SELECT {values}{from}; ")
            })
            .collect::<Vec<_>>()
            .concat();
        let when = when.replace("$now", "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')");
        format!("CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN {when} BEGIN {inserts}END")
    }

    fn take_back(&self, backend: DbBackend) -> String {
        let Self { name, table: (schema, table), .. } = self;
        match backend {
            DbBackend::Postgres => format!("DROP TRIGGER {name} ON {schema}.{table}; DROP FUNCTION auth.{name}()"),
            _ => format!("DROP TRIGGER {name}"),
        }
    }
}

/// The lock of those who add to the list.
const LOCK: i64 = 6_002_530_089_634_715_215;

/// The table itself is seen by nobody; these are the ways to it.
const EXCEPTIONS: [Exception; 4] = [
    Exception {
        name: "revocations_after",
        arguments: "known bigint, since timestamptz, at_most bigint",
        returns: "SETOF auth.revocations",
        body: "
  RETURN QUERY SELECT r.* FROM auth.revocations r WHERE r.id > known AND r.created_at >= since
    ORDER BY r.id LIMIT at_most;",
    },
    Exception {
        name: "newest_revocation",
        arguments: "",
        returns: "bigint",
        body: "
  SELECT coalesce(max(r.id), 0) INTO done FROM auth.revocations r;",
    },
    Exception {
        name: "revoke_key",
        arguments: "named text",
        returns: "bigint",
        body: "
  PERFORM pg_advisory_xact_lock(6002530089634715215);
  INSERT INTO auth.revocations (kind, kid) VALUES ('key', named) RETURNING id INTO done;
  PERFORM pg_notify('sme_pulse_changes', 'r');",
    },
    // The newest stays: its number says how far the list has come.
    Exception {
        name: "remove_old_revocations",
        arguments: "until timestamptz, at_most bigint",
        returns: "bigint",
        body: "
  IF NOT isfinite(until) THEN RAISE EXCEPTION 'not everything is old'; END IF;
  DELETE FROM auth.revocations WHERE id IN (SELECT r.id FROM auth.revocations r
    WHERE r.created_at < until AND r.id < (SELECT max(n.id) FROM auth.revocations n) LIMIT LEAST(at_most, 1000));
  GET DIAGNOSTICS done = ROW_COUNT;",
    },
];

impl MigrationName for Revocations {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Revocations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.up(manager).await?;
        let db = manager.get_connection();
        if db.get_database_backend() == DbBackend::Postgres {
            perform(db, &close("auth.revocations")).await?;
            for exception in &EXCEPTIONS {
                perform(db, &exception.create()).await?;
            }
            for source in &SOURCES {
                perform(db, &source.on_postgres()).await?;
            }
        } else {
            for source in &SOURCES {
                perform(db, &source.on_sqlite()).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let backend = db.get_database_backend();
        for source in &SOURCES {
            perform(db, &source.take_back(backend)).await?;
        }
        if backend == DbBackend::Postgres {
            for exception in &EXCEPTIONS {
                perform(db, &format!("DROP FUNCTION {}", exception.signature())).await?;
            }
        }
        TABLES.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_adds_to_the_list_takes_the_same_lock() {
        let taken = format!("pg_advisory_xact_lock({LOCK})");
        assert!(EXCEPTIONS.iter().any(|exception| exception.body.contains(&taken)));
        assert!(SOURCES.iter().all(|source| source.on_postgres().contains(&taken)));
    }
}
