//! Row-level security: on PostgreSQL a connection sees the rows of the organization that its transaction names, and no
//! others. What has to be found before an organization is known goes through the functions in `functions`.

mod functions;

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(Debug)]
pub(crate) struct RowLevelSecurity;

/// The organization of the transaction. NULL, which equals nothing, while none is set; a setting that was local to an
/// earlier transaction is empty afterwards. 0 stands for the events outside any organization.
const ORG: &str = "NULLIF(current_setting('sme_pulse.org_id', true), '')::bigint";
/// Who acts in it.
const PERSON: &str = "NULLIF(current_setting('sme_pulse.user_id', true), '')::bigint";

/// Tables whose every row is its organization's alone.
const OF_ORGANIZATIONS: [&str; 17] = [
    "core.user_roles",
    "finance.customers",
    "finance.suppliers",
    "finance.accounts",
    "finance.ar_invoices",
    "finance.ap_bills",
    "finance.payments",
    "finance.payment_allocations",
    "analytics.export_jobs",
    "analytics.alerts",
    "analytics.settings",
    "auth.idempotency_keys",
    "auth.invitations",
    "auth.mfa_factors",
    "auth.mfa_recovery_codes",
    "auth.mfa_challenges",
    "auth.memberships",
];

/// The others: table, name of the policy, command, what must hold of rows that are found, and of rows that are written.
fn special() -> Vec<(&'static str, &'static str, &'static str, String, Option<String>)> {
    let home = format!("org_id = {ORG}");
    let home_or_self = format!("org_id = {ORG} OR id = {PERSON}");
    let at_home = "auth.is_at_home(user_id)".to_owned();
    let own = format!("org_id = {ORG} OR user_id = {PERSON} OR auth.is_at_home(user_id)");
    let sheet = format!("id = {ORG}");
    let chain = format!("chain_id = {ORG}");
    vec![
        ("core.organizations", "tenant_read", "SELECT", sheet.clone(), None),
        ("core.organizations", "tenant_write", "UPDATE", sheet, None),
        ("core.users", "tenant_read", "SELECT", format!("{home_or_self} OR auth.belongs_here(id)"), None),
        ("core.users", "tenant_add", "INSERT", String::new(), Some(home.clone())),
        ("core.users", "tenant_write", "UPDATE", home_or_self, None),
        ("core.users", "tenant_remove", "DELETE", home.clone(), None),
        // A person may see where they belong.
        ("auth.memberships", "tenant_self", "SELECT", format!("user_id = {PERSON}"), None),
        // Sessions are a person's own, in whatever organization, and their home governs them.
        ("auth.sessions", "tenant_read", "SELECT", own.clone(), None),
        ("auth.sessions", "tenant_add", "INSERT", String::new(), Some(home.clone())),
        ("auth.sessions", "tenant_write", "UPDATE", own, None),
        ("auth.sessions", "tenant_remove", "DELETE", home.clone(), None),
        ("auth.password_reset_tokens", "tenant", "ALL", at_home, None),
        ("auth.audit_log", "tenant_read", "SELECT", home.clone(), None),
        ("auth.audit_log", "tenant_erase", "UPDATE", home.clone(), None),
        (
            "auth.audit_log",
            "tenant_add",
            "INSERT",
            String::new(),
            Some(format!("{home} OR (org_id IS NULL AND {ORG} = 0)")),
        ),
        ("auth.audit_heads", "tenant", "ALL", chain.clone(), None),
        ("auth.audit_checkpoints", "tenant_read", "SELECT", chain, None),
    ]
}

/// The statements that confine a table with an `org_id` to its organization, for migrations that make one.
pub(crate) fn confine(table: &str) -> String {
    format!("{}; CREATE POLICY tenant ON {table} USING (org_id = {ORG})", close(table))
}

/// Nobody sees a row any more, the owner neither, except when the owner asks for every tenant by the setting. The setting
/// opens nothing to others, so whoever serves requests may set it as they like.
fn close(table: &str) -> String {
    format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; \
         DO $$ BEGIN EXECUTE format('CREATE POLICY unconfined ON {table} TO %I \
             USING (current_setting(''sme_pulse.every_tenant'', true) = ''on'')', \
             (SELECT relowner::regrole::text FROM pg_class WHERE oid = '{table}'::regclass)); END $$"
    )
}

/// Where a policy has to look into another table. As a function it costs nothing until a row is met that the conditions
/// before it do not settle; a sub-query would be made ready for every statement, also inside the functions past the wall.
/// They run as whoever asks, under that table's policies.
fn questions() -> [String; 2] {
    let question = |name: &str, from: &str| {
        format!(
            "CREATE FUNCTION auth.{name}(person bigint) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS \
             $$ BEGIN RETURN EXISTS (SELECT 1 FROM {from} = person AND org_id = {ORG}); END $$"
        )
    };
    [question("is_at_home", "core.users WHERE id"), question("belongs_here", "auth.memberships WHERE user_id")]
}

fn up() -> Vec<String> {
    let special = special();
    let mut statements = questions().to_vec();
    statements.extend(OF_ORGANIZATIONS.iter().map(|table| confine(table)));
    let mut last = "auth.memberships";
    for (table, name, command, found, written) in special {
        if table != last && table != "auth.memberships" {
            statements.push(close(table));
            last = table;
        }
        let using = if found.is_empty() { String::new() } else { format!(" USING ({found})") };
        let check = written.map(|written| format!(" WITH CHECK ({written})")).unwrap_or_default();
        statements.push(format!("CREATE POLICY {name} ON {table} FOR {command}{using}{check}"));
    }
    // Of no organization yet, and reached by its token alone.
    statements.push(close("auth.sign_ups"));
    statements.extend(functions::create());
    statements
}

/// What later migrations confined is gone when this is taken back.
const DOWN: &str = "
DO $$
DECLARE found record;
BEGIN
  FOR found IN SELECT schemaname, tablename, policyname FROM pg_policies
    WHERE schemaname IN ('core', 'finance', 'analytics', 'auth')
      AND (policyname = 'unconfined' OR policyname ~ '^tenant(_|$)')
  LOOP
    EXECUTE format('DROP POLICY %I ON %I.%I', found.policyname, found.schemaname, found.tablename);
    EXECUTE format('ALTER TABLE %I.%I NO FORCE ROW LEVEL SECURITY', found.schemaname, found.tablename);
    EXECUTE format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', found.schemaname, found.tablename);
  END LOOP;
END $$";

impl MigrationName for RowLevelSecurity {
    fn name(&self) -> &'static str {
        "m20261122_000015_row_level_security"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RowLevelSecurity {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, &up()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut statements = functions::remove();
        statements.push(DOWN.to_owned());
        statements.push("DROP FUNCTION auth.is_at_home(bigint), auth.belongs_here(bigint)".to_owned());
        on_postgres(manager, &statements).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn on_postgres(manager: &SchemaManager<'_>, statements: &[String]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    if db.get_database_backend() == DbBackend::Postgres {
        for statement in statements {
            db.execute_unprepared(statement).await?;
        }
    }
    Ok(())
}
