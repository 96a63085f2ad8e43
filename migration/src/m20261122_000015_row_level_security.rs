//! Row-level security: on PostgreSQL a connection sees the rows of the organization that its transaction names, and no
//! others. What has to be found before an organization is known goes through the functions in `functions`.

pub(crate) mod functions;

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::DbBackend;

use crate::perform::perform;

#[derive(Debug)]
pub(crate) struct RowLevelSecurity;

/// The organization of the transaction. NULL, which equals nothing, while none is set; a setting that was local to an
/// earlier transaction is empty afterwards. 0 stands for the events outside any organization.
const ORG: &str = "NULLIF(current_setting('sme_pulse.org_id', true), '')::bigint";
/// Who acts in it.
pub(crate) const PERSON: &str = "NULLIF(current_setting('sme_pulse.user_id', true), '')::bigint";

/// Tables whose every row is its organization's alone.
const OF_ORGANIZATIONS: [&str; 13] = [
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
];

/// The others: table, name of the policy, command, what must hold of rows that are found, and of rows that are written.
/// Where the latter is missing, PostgreSQL asks the former of both.
fn special() -> Vec<(&'static str, &'static str, &'static str, String, Option<String>)> {
    let home = format!("org_id = {ORG}");
    let own = format!("org_id = {ORG} OR user_id = {PERSON} OR auth.is_at_home(user_id)");
    let sheet = format!("id = {ORG}");
    let chain = format!("chain_id = {ORG}");
    let mut policies = vec![
        ("core.organizations", "tenant_read", "SELECT", sheet.clone(), None),
        ("core.organizations", "tenant_write", "UPDATE", sheet, None),
        (
            "core.users",
            "tenant_read",
            "SELECT",
            format!("org_id = {ORG} OR id = {PERSON} OR auth.belongs_here(id)"),
            None,
        ),
        ("core.users", "tenant_add", "INSERT", String::new(), Some(home.clone())),
        // Home governs the account. Not its holder from elsewhere: a statement that forgot its tenant would find their row.
        ("core.users", "tenant_write", "UPDATE", home.clone(), Some(home.clone())),
        ("core.users", "tenant_remove", "DELETE", home.clone(), None),
        // A person may see where they belong.
        ("auth.memberships", "tenant_self", "SELECT", format!("user_id = {PERSON}"), None),
        ("auth.memberships", "tenant_read", "SELECT", home.clone(), None),
        // A membership opens its person's row to the organization, so people join by themselves, and a membership that is
        // there cannot become another person's.
        (
            "auth.memberships",
            "tenant_add",
            "INSERT",
            String::new(),
            Some(format!("org_id = {ORG} AND user_id = {PERSON}")),
        ),
        (
            "auth.memberships",
            "tenant_write",
            "UPDATE",
            home.clone(),
            Some(format!("org_id = {ORG} AND (user_id = {PERSON} OR auth.belongs_here(user_id))")),
        ),
        ("auth.memberships", "tenant_remove", "DELETE", home.clone(), None),
        // Sessions are a person's own, in whatever organization, and their home governs them. None becomes another
        // organization's or person's.
        ("auth.sessions", "tenant_read", "SELECT", own.clone(), None),
        ("auth.sessions", "tenant_add", "INSERT", String::new(), Some(home.clone())),
        ("auth.sessions", "tenant_write", "UPDATE", own, Some("auth.is_session_of(id, user_id, org_id)".to_owned())),
        ("auth.sessions", "tenant_remove", "DELETE", home.clone(), None),
        ("auth.password_reset_tokens", "tenant", "ALL", "auth.is_at_home(user_id)".to_owned(), None),
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
    ];
    // Log-ins ask for these wherever a person is at home, so no other organization may put one there.
    for table in ["auth.mfa_factors", "auth.mfa_recovery_codes", "auth.mfa_challenges"] {
        let at_home = format!("{home} AND auth.is_at_home(user_id)");
        policies.push((table, "tenant", "ALL", home.clone(), Some(at_home)));
    }
    policies
}

/// The statements that confine a table with an `org_id` to its organization, for migrations that make one.
pub(crate) fn confine(table: &str) -> String {
    format!("{}; CREATE POLICY tenant ON {table} USING (org_id = {ORG})", close(table))
}

/// Nobody sees a row any more, the owner neither, except when the owner asks for every tenant by the setting. The setting
/// opens nothing to others, so whoever serves requests may set it as they like.
pub(crate) fn close(table: &str) -> String {
    format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; \
         DO $$ BEGIN EXECUTE format('CREATE POLICY unconfined ON {table} TO %I \
             USING (current_setting(''sme_pulse.every_tenant'', true) = ''on'')', \
             (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = '{table}'::regclass)); END $$"
    )
}

/// Where a policy has to look into another table. As a function it costs nothing until a row is met that the conditions
/// before it do not settle; a sub-query would be made ready for every statement, also inside the functions past the wall.
/// They run as whoever asks, under that table's policies, and see what was there before the statement that asks: so of a
/// row that is written they can say what it was.
fn questions() -> [String; 3] {
    let question = |name: &str, arguments: &str, from: &str| {
        format!(
            "CREATE FUNCTION auth.{name}({arguments}) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS \
             $$ BEGIN RETURN EXISTS (SELECT 1 FROM {from}); END $$"
        )
    };
    [
        question("is_at_home", "person bigint", &format!("core.users WHERE id = person AND org_id = {ORG}")),
        question(
            "belongs_here",
            "person bigint",
            &format!("auth.memberships WHERE user_id = person AND org_id = {ORG}"),
        ),
        question(
            "is_session_of",
            "named uuid, person bigint, place bigint",
            "auth.sessions WHERE id = named AND user_id = person AND org_id = place",
        ),
    ]
}

fn up() -> Vec<String> {
    let special = special();
    let mut statements = questions().to_vec();
    statements.extend(OF_ORGANIZATIONS.iter().map(|table| confine(table)));
    let mut last = "";
    for (table, name, command, found, written) in special {
        if table != last {
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
        statements.push(
            "DROP FUNCTION auth.is_at_home(bigint), auth.belongs_here(bigint), auth.is_session_of(uuid, bigint, bigint)"
                .to_owned(),
        );
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
            perform(db, statement).await?;
        }
    }
    Ok(())
}
