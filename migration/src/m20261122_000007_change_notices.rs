//! Notices of every change that decides who may do what, whoever makes it: replicas drop what they remember of the user.
//! PostgreSQL only; a SQLite file is watched by the process that has it open.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::perform::perform;

#[derive(Debug)]
pub(crate) struct ChangeNotices;

/// Tells everybody to forget everything, when the transaction commits.
pub(crate) const TELL_ALL: &str = "NOTIFY sme_pulse_changes, '*'";

/// The payload is a letter for the kind of row and its key: `u7` a user, `o3` an organization; `*` is everything.
const FUNCTION: &str = "
CREATE FUNCTION auth.notice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    NOTIFY sme_pulse_changes, '*';
    RETURN NULL;
  END IF;
  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    PERFORM pg_notify('sme_pulse_changes', TG_ARGV[0] || (to_jsonb(OLD) ->> TG_ARGV[1]));
  END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    PERFORM pg_notify('sme_pulse_changes', TG_ARGV[0] || (to_jsonb(NEW) ->> TG_ARGV[1]));
  END IF;
  RETURN NULL;
END $$";

/// Trigger, event, table, arguments. Columns that every log-in writes are left out on purpose, and so is the opening of
/// a session: nobody can remember what did not exist.
const TRIGGERS: [(&str, &str, &str, &str); 4] = [
    (
        "notice_users",
        "UPDATE OF org_id, email, full_name, status, password_hash, password_changed_at OR DELETE",
        "core.users",
        "'u', 'id'",
    ),
    ("notice_user_roles", "INSERT OR UPDATE OR DELETE", "core.user_roles", "'u', 'user_id'"),
    ("notice_organizations", "UPDATE OF status OR DELETE", "core.organizations", "'o', 'id'"),
    (
        "notice_sessions",
        "UPDATE OF user_id, org_id, expires_at, revoked_at OR DELETE",
        "auth.sessions",
        "'u', 'user_id'",
    ),
];

impl MigrationName for ChangeNotices {
    fn name(&self) -> &'static str {
        "m20261122_000007_change_notices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ChangeNotices {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        perform(db, FUNCTION).await?;
        for (name, event, table, arguments) in TRIGGERS {
            perform(
                db,
                &format!(
                    "CREATE TRIGGER {name} AFTER {event} ON {table} \
                 FOR EACH ROW EXECUTE FUNCTION auth.notice_change({arguments}); \
                 CREATE TRIGGER {name}_emptied AFTER TRUNCATE ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION auth.notice_change()"
                ),
            )
            .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for (name, _, table, _) in TRIGGERS {
            perform(db, &format!("DROP TRIGGER {name} ON {table}; DROP TRIGGER {name}_emptied ON {table}")).await?;
        }
        perform(db, "DROP FUNCTION auth.notice_change()").await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
