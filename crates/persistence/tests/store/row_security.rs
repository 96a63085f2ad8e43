//! The second wall on PostgreSQL: what a connection that serves requests sees and may change, table by table as the
//! catalog lists them, and that no way leads past it but those that are meant.

#[path = "row_security/furniture.rs"]
mod furniture;
#[path = "row_security/owner.rs"]
mod owner;
#[path = "row_security/people.rs"]
mod people;
#[path = "row_security/ways.rs"]
mod ways;

use furniture::{Table, furnish, tables};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait,
};
use sme_pulse_testing::on_postgres;

use crate::support::TestStore;

pub(crate) fn sql(text: impl Into<String>) -> Statement {
    Statement::from_string(DbBackend::Postgres, text)
}

pub(crate) async fn number(db: &impl ConnectionTrait, text: impl Into<String>) -> i64 {
    db.query_one_raw(sql(text)).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

pub(crate) async fn texts(db: &impl ConnectionTrait, text: &str) -> Vec<String> {
    let rows = db.query_all_raw(sql(text)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// The statement is refused for want of a right, by row-level security or by the grants.
pub(crate) fn assert_forbidden<T>(done: Result<T, DbErr>, what: &str) {
    let Err(error) = done else { panic!("accepted: {what}") };
    let text = error.to_string();
    let refused = ["row-level security", "permission denied", "must be owner", "must be superuser"];
    assert!(refused.iter().any(|words| text.contains(words)), "{what}: {text}");
}

/// How many rows it changed; none where it is not even allowed.
pub(crate) async fn changed(db: &impl ConnectionTrait, statement: String) -> u64 {
    match db.execute_raw(sql(&statement)).await {
        Ok(done) => done.rows_affected(),
        Err(error) => {
            assert!(error.to_string().contains("permission denied"), "{statement}: {error}");
            0
        }
    }
}

/// Begins as the store does for an organization while nobody acts.
pub(crate) async fn inside(db: &DatabaseConnection, org: i64) -> DatabaseTransaction {
    inside_as(db, org, None).await
}

/// Begins as the store does for somebody who acts in an organization.
pub(crate) async fn inside_as(db: &DatabaseConnection, org: i64, person: Option<i64>) -> DatabaseTransaction {
    let tx = db.begin().await.unwrap();
    let person = person.map(|person| person.to_string()).unwrap_or_default();
    let both = format!("SET LOCAL sme_pulse.org_id = '{org}'; SET LOCAL sme_pulse.user_id = '{person}'");
    tx.execute_unprepared(&both).await.unwrap();
    tx
}

/// Who acts in the tests of writing: nobody, who is at home in 1 and belongs to 2, and who is at home in 2 alone.
const ACTORS: [Option<i64>; 3] = [None, Some(1), Some(2)];

/// A test on PostgreSQL alone, with rows of organizations 1 and 2 in every table.
pub(crate) fn with_rows<T: Future<Output = ()>>(test: impl FnOnce(TestStore, Vec<Table>) -> T) {
    on_postgres(async |store: TestStore| {
        furnish(store.operator.raw()).await;
        let tables = tables(store.operator.raw()).await;
        test(store, tables).await;
    });
}

#[test]
fn every_table_of_the_product_is_confined_but_those_of_no_tenant() {
    on_postgres(async |test: TestStore| {
        let open = texts(
            test.operator.raw(),
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname IN ('core', 'finance', 'analytics', 'auth') AND c.relkind IN ('r', 'p', 'm', 'v') \
             AND NOT (c.relrowsecurity AND c.relforcerowsecurity \
                 AND 2 <= (SELECT COUNT(*) FROM pg_policy p WHERE p.polrelid = c.oid)) ORDER BY 1",
        )
        .await;
        // Counters and keys are the installation's: every replica reads all of them, whoever calls.
        let known = ["guess_counters", "revocations", "roles", "service_accounts", "sign_ups", "signing_keys"];
        assert_eq!(open, known, "a new table needs policies: see docs/adding-a-route.md");
    });
}

#[test]
fn what_waits_for_its_confirmation_is_seen_by_nobody() {
    on_postgres(async |test: TestStore| {
        let waiting = "INSERT INTO auth.sign_ups (email, full_name, password_hash, organization_name, token_hash, expires_at) \
            VALUES ('a@example.com', 'A', 'x', 'Org', repeat('0', 64), now())";
        test.operator.raw().execute_unprepared(waiting).await.unwrap();
        for org in [0, 1] {
            let tx = inside(test.store.raw(), org).await;
            assert_eq!(texts(&tx, "SELECT email FROM auth.sign_ups").await, [""; 0]);
            assert_eq!(tx.execute_unprepared("DELETE FROM auth.sign_ups").await.unwrap().rows_affected(), 0);
        }
        assert_eq!(texts(test.operator.raw(), "SELECT email FROM auth.sign_ups").await, ["a@example.com"]);
    });
}

#[test]
fn service_accounts_are_seen_by_nobody_and_nobody_makes_a_key_that_acts_for_another() {
    with_rows(async |test, _| {
        for org in [0, 1] {
            let tx = inside(test.store.raw(), org).await;
            assert_eq!(texts(&tx, "SELECT name FROM auth.service_accounts").await, [""; 0]);
            let revoked = tx.execute_unprepared("UPDATE auth.service_accounts SET revoked_at = NULL").await.unwrap();
            assert_eq!(revoked.rows_affected(), 0);
        }
        for (person, made) in [(2, false), (1, true)] {
            let tx = inside(test.store.raw(), 1).await;
            tx.execute_unprepared("SET LOCAL sme_pulse.user_id = '1'").await.unwrap();
            let key = format!(
                "INSERT INTO auth.api_keys (org_id, name, prefix, key_hash, permissions, created_by) \
                 VALUES (1, 'k', 'prefix000003', repeat('0', 64), '', {person})"
            );
            assert_eq!(tx.execute_unprepared(&key).await.is_ok(), made, "for {person}");
        }
    });
}

#[test]
fn without_an_organization_nothing_is_seen_or_changed() {
    with_rows(async |test, tables| {
        let db = test.store.raw();
        for Table { name, key, .. } in &tables {
            assert_eq!(number(db, format!("SELECT COUNT(*) FROM {name}")).await, 0, "{name}");
            assert_eq!(changed(db, format!("UPDATE {name} SET {key} = {key}")).await, 0, "{name}");
            assert_eq!(changed(db, format!("DELETE FROM {name}")).await, 0, "{name}");
            assert_eq!(number(db, format!("SELECT COUNT(*) FROM {name} WHERE true")).await, 0, "{name}");
        }
        // What was set in a transaction is gone after it, also on the same connection.
        let only = inside(db, 1).await;
        assert!(number(&only, "SELECT COUNT(*) FROM core.users").await > 0);
        only.commit().await.unwrap();
        assert_eq!(number(db, "SELECT COUNT(*) FROM core.users").await, 0);
        for name in ["0", "-1", "99", ""] {
            let tx = db.begin().await.unwrap();
            tx.execute_unprepared(&format!("SET LOCAL sme_pulse.org_id = '{name}'")).await.unwrap();
            for table in &tables {
                let seen = number(&tx, format!("SELECT COUNT(*) FROM {}", table.name)).await;
                let outside = name == "0" && table.name == "auth.audit_heads";
                assert_eq!(seen, i64::from(outside), "{} as {name:?}", table.name);
            }
        }
    });
}

#[test]
fn inside_an_organization_exactly_its_rows_are_seen_and_no_other_can_be_written() {
    with_rows(async |test, tables| {
        for Table { name, key, of } in &tables {
            let (all, db) = (test.operator.raw(), test.store.raw());
            let (ours, theirs) = (of(1), format!("{} AND NOT {}", of(2), of(1)));
            let expected = number(all, format!("SELECT COUNT(*) FROM {name} WHERE {ours}")).await;
            assert!(
                expected > 0 && number(all, format!("SELECT COUNT(*) FROM {name} WHERE {theirs}")).await > 0,
                "{name} is not furnished"
            );

            let tx = inside(db, 1).await;
            assert_eq!(number(&tx, format!("SELECT COUNT(*) FROM {name}")).await, expected, "{name}");
            drop(tx);
            let foreign = texts(all, &format!("SELECT to_jsonb(t)::text FROM {name} t WHERE {theirs} LIMIT 1")).await;
            let insert = format!(
                "INSERT INTO {name} SELECT * FROM jsonb_populate_record(NULL::{name}, '{}')",
                foreign[0].replace('\'', "''")
            );
            let give_away = format!("UPDATE {name} SET org_id = 2 WHERE {ours}");
            for person in ACTORS {
                let theirs = match person {
                    // A person's own sessions are theirs everywhere.
                    Some(person) if name == "auth.sessions" => format!("{theirs} AND user_id <> {person}"),
                    _ => theirs.clone(),
                };
                for change in [
                    format!("UPDATE {name} SET {key} = {key} WHERE {theirs}"),
                    format!("DELETE FROM {name} WHERE {theirs}"),
                ] {
                    let tx = inside_as(db, 1, person).await;
                    assert_eq!(changed(&tx, change).await, 0, "{name} as {person:?}");
                }
                let tx = inside_as(db, 1, person).await;
                assert_forbidden(tx.execute_unprepared(&insert).await, &insert);
                drop(tx);
                if foreign[0].contains("\"org_id\"") {
                    let tx = inside_as(db, 1, person).await;
                    assert_forbidden(tx.execute_unprepared(&give_away).await, &format!("{give_away} as {person:?}"));
                }
            }
        }
    });
}

/// A statement without a condition reads no column, so no policy for reading stands beside that for changing.
#[test]
fn a_statement_without_any_condition_changes_nothing_of_other_organizations() {
    with_rows(async |test, tables| {
        for Table { name, .. } in &tables {
            let times = format!(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = '{name}'::regclass \
                 AND attname IN ('created_at', 'updated_at') ORDER BY 1 DESC"
            );
            let set = match (name.as_str(), texts(test.operator.raw(), &times).await.first()) {
                ("auth.audit_log", _) => "client_ip = NULL".to_owned(),
                (_, Some(time)) => format!("{time} = now()"),
                ("auth.audit_heads", None) => "hash = repeat('1', 64)".to_owned(),
                ("auth.audit_checkpoints", None) => "key_id = 'x'".to_owned(),
                (other, None) => panic!("what can be changed in {other}?"),
            };
            for person in ACTORS {
                // A person's own sessions are theirs everywhere.
                let own = match person {
                    Some(person) if name == "auth.sessions" => {
                        number(test.operator.raw(), format!("SELECT COUNT(*) FROM {name} WHERE user_id = {person}"))
                            .await
                    }
                    _ => 0,
                };
                let tx = inside_as(test.store.raw(), 99, person).await;
                let done = changed(&tx, format!("UPDATE {name} SET {set}")).await;
                assert_eq!(i64::try_from(done).unwrap(), own, "{name} as {person:?}");
                let tx = inside_as(test.store.raw(), 99, person).await;
                assert_eq!(changed(&tx, format!("DELETE FROM {name}")).await, 0, "{name} as {person:?}");
            }
        }
    });
}

#[test]
fn events_outside_any_organization_are_not_recorded_inside_one() {
    with_rows(async |test, _| {
        let outside = "INSERT INTO auth.audit_log (org_id, action, seq, hash) VALUES (NULL, 'a', 9, repeat('9', 64))";
        for (org, is_allowed) in [(0, true), (1, false)] {
            let tx = inside(test.store.raw(), org).await;
            let done = tx.execute_unprepared(outside).await;
            if is_allowed { assert_eq!(done.unwrap().rows_affected(), 1) } else { assert_forbidden(done, outside) }
        }
    });
}

#[test]
fn who_serves_requests_cannot_open_the_wall() {
    with_rows(async |test, tables| {
        let db = test.store.raw();
        let tx = db.begin().await.unwrap();
        tx.execute_unprepared("SET LOCAL sme_pulse.every_tenant = 'on'; SET LOCAL sme_pulse.removing_expired = 'on'")
            .await
            .unwrap();
        for Table { name, .. } in &tables {
            assert_eq!(number(&tx, format!("SELECT COUNT(*) FROM {name}")).await, 0, "{name}");
        }
        drop(tx);
        for statement in [
            "ALTER TABLE core.users DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE core.users NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY tenant ON finance.customers",
            "CREATE POLICY mine ON finance.customers USING (true)",
            "DROP TABLE finance.customers",
            "TRUNCATE finance.customers CASCADE",
            "CREATE TABLE core.mine (id bigint)",
            "CREATE FUNCTION auth.mine() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
            "ALTER TABLE auth.audit_log DISABLE TRIGGER ALL",
            "DELETE FROM auth.audit_log",
            "UPDATE auth.audit_log SET action = 'x'",
            "INSERT INTO core.roles (code, name) VALUES ('x', 'x')",
            "INSERT INTO public.seaql_migrations VALUES ('x', 0)",
            "INSERT INTO core.organizations (name) VALUES ('x')",
            "CREATE ROLE mine",
            "ALTER ROLE sme_pulse_runtime BYPASSRLS",
        ] {
            assert_forbidden(db.execute_unprepared(statement).await, statement);
        }
        // Asked to do without policies, PostgreSQL refuses the statement rather than to show everything.
        let tx = db.begin().await.unwrap();
        tx.execute_unprepared("SET LOCAL row_security = off").await.unwrap();
        assert_forbidden(tx.execute_unprepared("SELECT * FROM finance.customers").await, "row_security = off");
    });
}

#[test]
fn the_ways_past_it_are_for_the_serving_role_alone_and_fixed() {
    on_postgres(async |test: TestStore| {
        let db = test.operator.raw();
        let ways = "FROM pg_proc p WHERE p.pronamespace = 'auth'::regnamespace AND p.prosecdef";
        assert!(number(db, format!("SELECT COUNT(*) {ways}")).await >= 19);
        let loose = format!(
            "SELECT p.proname::text {ways} AND (has_function_privilege('public', p.oid, 'EXECUTE') \
             OR NOT has_function_privilege('sme_pulse_runtime', p.oid, 'EXECUTE') \
             OR NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false))"
        );
        assert_eq!(texts(db, &loose).await, [""; 0]);
    });
}

#[test]
fn lists_use_their_index_and_ask_for_the_organization_once() {
    on_postgres(async |test: TestStore| {
        let tx = inside(test.store.raw(), 1).await;
        tx.execute_unprepared("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off").await.unwrap();
        for (query, index) in [
            (
                "SELECT * FROM auth.audit_log WHERE org_id = 1 AND action = 'a' ORDER BY seq DESC LIMIT 10",
                "ix_audit_log_org_id_action_seq",
            ),
            (
                "SELECT * FROM core.users WHERE org_id = 1 ORDER BY created_at, id LIMIT 10",
                "ix_users_org_id_created_at_id",
            ),
            ("SELECT * FROM auth.sessions WHERE user_id = 1 AND revoked_at IS NULL", "ix_sessions_user_id_revoked_at"),
        ] {
            let plan = texts(&tx, &format!("EXPLAIN {query}")).await.join("\n");
            assert!(plan.contains(index), "{plan}");
        }
        let plan = texts(&tx, "EXPLAIN SELECT * FROM finance.customers WHERE org_id = 1 AND status = 'active'")
            .await
            .join("\n");
        assert!(plan.contains("One-Time Filter"), "{plan}");
    });
}
