//! Notices of sessions only where a session became less than it was: a refresh, which only extends it, and the removal of
//! what ended long ago concern nobody, and every notice queues behind one lock at its commit. PostgreSQL only.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::perform::perform;

#[derive(Debug)]
pub(crate) struct QuieterNotices;

/// What remembers a session checks its end by the clock, and asks the database before it believes that it has come.
/// The setting is made by whoever removes expired rows, for that transaction alone: the database's clock may be
/// another than the program's.
const UP: &str = "
DROP TRIGGER notice_sessions ON auth.sessions;
CREATE TRIGGER notice_sessions AFTER UPDATE OF user_id, org_id, expires_at, revoked_at ON auth.sessions
  FOR EACH ROW WHEN (NEW.expires_at < OLD.expires_at
    OR OLD.user_id <> NEW.user_id OR OLD.org_id <> NEW.org_id OR OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
  EXECUTE FUNCTION auth.notice_change('u', 'user_id');
CREATE TRIGGER notice_sessions_removed AFTER DELETE ON auth.sessions
  FOR EACH ROW WHEN (OLD.revoked_at IS NULL
    AND current_setting('sme_pulse.removing_expired', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION auth.notice_change('u', 'user_id')";

/// As `change_notices` made it.
const DOWN: &str = "
DROP TRIGGER notice_sessions_removed ON auth.sessions;
DROP TRIGGER notice_sessions ON auth.sessions;
CREATE TRIGGER notice_sessions AFTER UPDATE OF user_id, org_id, expires_at, revoked_at OR DELETE ON auth.sessions
  FOR EACH ROW EXECUTE FUNCTION auth.notice_change('u', 'user_id')";

impl MigrationName for QuieterNotices {
    fn name(&self) -> &'static str {
        "m20261122_000008_quieter_notices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for QuieterNotices {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, DOWN).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn on_postgres(manager: &SchemaManager<'_>, statements: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    if db.get_database_backend() == DbBackend::Postgres {
        perform(db, statements).await?;
    }
    Ok(())
}
