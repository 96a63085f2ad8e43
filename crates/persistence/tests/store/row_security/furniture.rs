//! Rows of organizations 1 and 2 in every table that has any, and the list of those tables.

use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::texts;

/// A table with rows of organizations.
pub(crate) struct Table {
    pub(crate) name: String,
    /// A column to write in place.
    pub(crate) key: &'static str,
    /// What holds of the rows that an organization sees, as seen by somebody who sees all.
    pub(crate) of: fn(i64) -> String,
}

const ROWS: &str = "
INSERT INTO core.organizations (name) VALUES ('One'), ('Two');
INSERT INTO core.roles (code, name) VALUES ('owner', 'Owner');
INSERT INTO core.users (org_id, email, password_hash) VALUES
  (1, 'a@one.test', 'x'), (2, 'a@two.test', 'x'), (2, 'b@two.test', 'x');
INSERT INTO core.user_roles (user_id, org_id, role_id) VALUES (1, 1, 1), (2, 2, 1);
INSERT INTO auth.memberships (org_id, user_id) VALUES (2, 1), (1, 3);
INSERT INTO finance.customers (org_id, name) VALUES (1, 'C1'), (2, 'C2');
INSERT INTO finance.suppliers (org_id, name) VALUES (1, 'S1'), (2, 'S2');
INSERT INTO finance.accounts (org_id, name, type) VALUES (1, 'A1', 'cash'), (2, 'A2', 'bank');
INSERT INTO finance.ar_invoices (org_id, invoice_no, customer_id, issue_date, due_date, total_amount_minor, status)
  SELECT o, 'I' || o, o, '2026-01-01', '2026-01-31', 1000, 'posted' FROM generate_series(1, 2) o;
INSERT INTO finance.ap_bills (org_id, bill_no, supplier_id, issue_date, due_date, total_amount_minor, status)
  SELECT o, 'B' || o, o, '2026-01-01', '2026-01-31', 1000, 'posted' FROM generate_series(1, 2) o;
INSERT INTO finance.payments (org_id, account_id, direction, transaction_date, amount_minor)
  SELECT o, o, 'in', '2026-01-02', 500 FROM generate_series(1, 2) o;
INSERT INTO finance.payment_allocations (org_id, payment_id, ar_invoice_id, allocated_amount_minor)
  SELECT o, o, o, 100 FROM generate_series(1, 2) o;
INSERT INTO auth.sessions (id, user_id, org_id, expires_at) VALUES
  ('00000000-0000-0000-0000-000000000001', 1, 1, now()), ('00000000-0000-0000-0000-000000000002', 1, 2, now()),
  ('00000000-0000-0000-0000-000000000003', 2, 2, now());
INSERT INTO auth.password_reset_tokens (user_id, token_hash, expires_at)
  SELECT o, repeat(o::text, 64), now() FROM generate_series(1, 2) o;
INSERT INTO auth.idempotency_keys (org_id, user_id, key, method, path, request_hash, expires_at)
  SELECT o, o, 'k', 'POST', '/', repeat('0', 64), now() FROM generate_series(1, 2) o;
INSERT INTO auth.invitations (org_id, email, roles, token_hash, expires_at)
  SELECT o, 'x@test', 'owner', repeat(o::text, 64), now() FROM generate_series(1, 2) o;
INSERT INTO auth.api_keys (org_id, name, prefix, key_hash, permissions, created_by)
  SELECT o, 'k', 'prefix00000' || o, repeat(o::text, 64), 'read_partners', o FROM generate_series(1, 2) o;
INSERT INTO auth.service_accounts (name, prefix, key_hash, permissions) VALUES ('s', 'prefix000000', repeat('0', 64), 'inspect_tokens');
INSERT INTO auth.given_passwords (org_id, user_id) SELECT o, o FROM generate_series(1, 2) o;
INSERT INTO auth.mfa_factors (org_id, user_id, secret) SELECT o, o, 's' FROM generate_series(1, 2) o;
INSERT INTO auth.mfa_recovery_codes (org_id, user_id, code_hash)
  SELECT o, o, repeat(o::text, 64) FROM generate_series(1, 2) o;
INSERT INTO auth.mfa_challenges (org_id, user_id, token_hash, expires_at, attempts)
  SELECT o, o, repeat(o::text, 64), now(), 0 FROM generate_series(1, 2) o;
INSERT INTO auth.audit_log (org_id, action, seq, hash)
  SELECT NULLIF(o, 0), 'a', 1, repeat('0', 64) FROM generate_series(0, 2) o;
INSERT INTO auth.audit_heads (chain_id, seq, hash) SELECT o, 1, repeat('0', 64) FROM generate_series(0, 2) o;
INSERT INTO auth.audit_checkpoints (chain_id, seq, hash, signed_at, key_id, signature)
  SELECT o, 1, repeat('0', 64), now(), 'k', 's' FROM generate_series(1, 2) o;
INSERT INTO analytics.export_jobs (org_id, job_id, job_type)
  SELECT o, gen_random_uuid(), 'cashflow' FROM generate_series(1, 2) o;
INSERT INTO analytics.alerts (org_id, kind) SELECT o, 'k' FROM generate_series(1, 2) o;
INSERT INTO analytics.settings (org_id, key, value_json) SELECT o, 'k', '{}' FROM generate_series(1, 2) o;
";

/// Past every policy: this is the operator's connection.
pub(crate) async fn furnish(db: &DatabaseConnection) {
    db.execute_unprepared(ROWS).await.unwrap();
}

/// Every table under row-level security, from the catalog, but those that nobody sees at all.
pub(crate) async fn tables(db: &DatabaseConnection) -> Vec<Table> {
    let names = texts(
        db,
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relrowsecurity AND c.relname NOT IN ('sign_ups', 'revocations', 'service_accounts') AND n.nspname IN ('core', 'finance', 'analytics', 'auth') ORDER BY 1",
    )
    .await;
    assert!(names.len() >= 23, "{names:?}");
    names.into_iter().map(table).collect()
}

fn table(name: String) -> Table {
    let (key, of): (&'static str, fn(i64) -> String) = match name.as_str() {
        "core.organizations" => ("id", |org| format!("id = {org}")),
        "auth.audit_heads" | "auth.audit_checkpoints" => ("chain_id", |org| format!("chain_id = {org}")),
        "auth.password_reset_tokens" => {
            ("user_id", |org| format!("user_id IN (SELECT id FROM core.users WHERE org_id = {org})"))
        }
        // Members from elsewhere, and what people at home have elsewhere.
        "core.users" => ("id", |org| {
            format!("(org_id = {org} OR id IN (SELECT user_id FROM auth.memberships WHERE org_id = {org}))")
        }),
        "auth.sessions" => ("user_id", |org| {
            format!("(org_id = {org} OR user_id IN (SELECT id FROM core.users WHERE org_id = {org}))")
        }),
        _ => ("org_id", |org| format!("org_id = {org}")),
    };
    Table { name, key, of }
}
