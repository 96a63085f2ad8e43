//! The role that serves requests on PostgreSQL: neither owner nor superuser, so that row-level security binds it. Roles
//! belong to the whole cluster, where other databases may be migrated at the same time; what is granted belongs to one.

use std::path::Path;

use sea_orm_migration::sea_orm::sqlx::error::DatabaseError;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement};

use crate::error::MigrateError;
use crate::exclusive::Exclusive;

/// Its name.
pub const RUNTIME_ROLE: &str = "sme_pulse_runtime";

/// What is left for an administrator to do, as statements; none when the role can be taken on by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Vec<String>);

/// Whoever comes second finds the role made by the first; `unique_violation` is how PostgreSQL says so while it happens.
const CREATE: &str = "
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sme_pulse_runtime') THEN
    CREATE ROLE sme_pulse_runtime NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$";

/// From version 16 on, being a member and being allowed to take on the role are two things.
const MAY_TAKE_ON: &str = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sme_pulse_runtime') AS there, \
    EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'sme_pulse_runtime' AND pg_has_role(session_user, r.oid, \
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)) AS member, \
    quote_ident(session_user) AS me";

const JOIN: &str = "
DO $$ BEGIN
  EXECUTE format('GRANT sme_pulse_runtime TO %I', session_user);
EXCEPTION WHEN unique_violation THEN NULL;
END $$";

/// Something that the role may not use yet although it should.
const UNGRANTED: &str = "SELECT 1 WHERE EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname IN ('core', 'finance', 'analytics', 'auth') AND c.relkind = 'r' \
        AND NOT (has_schema_privilege('sme_pulse_runtime', n.oid, 'USAGE') \
            AND has_table_privilege('sme_pulse_runtime', c.oid, 'SELECT'))) \
    OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = to_regnamespace('auth') AND p.prosecdef \
        AND NOT has_function_privilege('sme_pulse_runtime', p.oid, 'EXECUTE')) \
    OR NOT coalesce(has_table_privilege('sme_pulse_runtime', to_regclass('public.seaql_migrations'), 'SELECT'), true)";

/// Rows, and nothing of the schema: no TRUNCATE, no DDL. What nobody may change while serving is not granted at all; of an
/// event that is what an erasure changes, and a trigger lets through nothing but erasures.
pub(crate) const GRANT: &str = "
GRANT USAGE ON SCHEMA core, finance, analytics, auth TO sme_pulse_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA core, finance, analytics, auth TO sme_pulse_runtime;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA core, finance, analytics, auth TO sme_pulse_runtime;
REVOKE INSERT, UPDATE, DELETE ON core.roles, auth.audit_checkpoints FROM sme_pulse_runtime;
REVOKE INSERT, DELETE ON core.organizations FROM sme_pulse_runtime;
REVOKE UPDATE, DELETE ON auth.audit_log FROM sme_pulse_runtime;
GRANT UPDATE (client_ip, before, after, salts, erased) ON auth.audit_log TO sme_pulse_runtime;
REVOKE DELETE ON auth.audit_heads FROM sme_pulse_runtime;
GRANT SELECT ON public.seaql_migrations TO sme_pulse_runtime;
DO $$ DECLARE found regprocedure; BEGIN
  FOR found IN SELECT oid FROM pg_proc WHERE pronamespace = 'auth'::regnamespace AND prosecdef LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sme_pulse_runtime', found);
  END LOOP;
END $$";

/// Makes the role, lets the caller take it on, and grants it what serving needs, as far as the caller may. Does nothing
/// that is done already. On a schema that is current; `lock` as in [`crate::up`].
pub async fn prepare_runtime_role(db: &DatabaseConnection, lock: Option<&Path>) -> Result<Missing, MigrateError> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(Missing(Vec::new()));
    }
    let (mut there, mut member, me) = standing(db).await?;
    if !there && permitted(db.execute_unprepared(CREATE).await)? {
        (there, member, _) = standing(db).await?;
    }
    if there && !member && permitted(db.execute_unprepared(JOIN).await)? {
        (there, member, _) = standing(db).await?;
    }
    let mut missing = Vec::new();
    if !there {
        missing.push(format!("CREATE ROLE {RUNTIME_ROLE} NOLOGIN;"));
    }
    if !member {
        missing.push(format!("GRANT {RUNTIME_ROLE} TO {me};"));
    }
    if there && !grant(db, lock).await? {
        missing.extend(GRANT.lines().filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(Missing(missing))
}

/// Whether the role exists, whether the caller may take it on, and the caller.
async fn standing(db: &impl ConnectionTrait) -> Result<(bool, bool, String), DbErr> {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, MAY_TAKE_ON)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("roles".to_owned()))?;
    Ok((row.try_get("", "there")?, row.try_get("", "member")?, row.try_get("", "me")?))
}

/// `false` when the caller may not grant what is missing.
async fn grant(db: &DatabaseConnection, lock: Option<&Path>) -> Result<bool, MigrateError> {
    let ungranted = || Statement::from_string(DbBackend::Postgres, UNGRANTED);
    if db.query_one_raw(ungranted()).await?.is_none() {
        return Ok(true);
    }
    // Two who grant at the same time would be in each other's way.
    let exclusive = Exclusive::enter(db, lock).await?;
    if !permitted(exclusive.tx.execute_unprepared(GRANT).await)? {
        return Ok(false);
    }
    // PostgreSQL only warns of what could not be granted.
    let all = exclusive.tx.query_one_raw(ungranted()).await?.is_none();
    exclusive.commit().await?;
    Ok(all)
}

/// `false` when the database says that the caller may not.
fn permitted<T>(done: Result<T, DbErr>) -> Result<bool, DbErr> {
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_refusal(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_refusal(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    let code = cause.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == "42501")
}
