//! That finding people walks indexes, however many other organizations there are.

use sea_orm::{ConnectionTrait, Statement};
use sme_pulse_domain::ids::OrgId;
use sme_pulse_testing::{Engine, TestDatabase, on_both_databases};

use super::*;

#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const SCOPE: TenantScope = TenantScope::assume_verified(OrgId::new(7), None);

async fn plan(db: &impl ConnectionTrait, query: &SelectStatement) -> String {
    let backend = db.get_database_backend();
    let explain = if backend == DbBackend::Postgres { "EXPLAIN" } else { "EXPLAIN QUERY PLAN" };
    let built = backend.build(query);
    let sql = format!("{explain} {}", built.sql);
    let rows = db.query_all_raw(Statement { sql, ..built }).await.unwrap();
    let column = if backend == DbBackend::Postgres { 0 } else { 3 };
    rows.iter().map(|row| row.try_get_by_index::<String>(column).unwrap()).collect::<Vec<_>>().join("\n")
}

/// Many organizations with a few people each, one of whom belongs to the next as well.
async fn fill(db: &impl ConnectionTrait) {
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)";
    for sql in [
        format!("INSERT INTO organizations (name) {numbers} SELECT 'Org' FROM n"),
        format!(
            "INSERT INTO users (org_id, email, password_hash) {numbers} \
             SELECT i, 'p' || i || '.' || k || '@example.com', 'x' FROM n, (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3) AS people"
        ),
        "INSERT INTO memberships (org_id, user_id) SELECT org_id + 1, MIN(id) FROM users WHERE org_id < 2000 GROUP BY org_id".to_owned(),
        "INSERT INTO roles (code, name) VALUES ('owner', 'Owner')".to_owned(),
        "INSERT INTO user_roles (user_id, org_id, role_id) SELECT u.id, u.org_id, r.id FROM users u, roles r".to_owned(),
        "ANALYZE".to_owned(),
    ] {
        db.execute_unprepared(&sql).await.unwrap();
    }
}

on_both_databases! {
    async fn no_statement_about_people_reads_a_whole_table(database: TestDatabase) {
        let db = database.connect().await;
        sme_pulse_migration::up(&db, None).await.unwrap();
        fill(&db).await;
        let filter = PersonFilter {
            search: Some("p".to_owned()), role: Some("owner".to_owned()), status: Some("active".to_owned()),
        };
        let backend = db.get_database_backend();
        for query in [
            People::new(SCOPE, &PersonFilter::default(), backend).page(0, 100),
            People::new(SCOPE, &PersonFilter::default(), backend).count(),
            People::new(SCOPE, &filter, backend).page(0, 100),
            one(SCOPE, UserId::new(19)),
        ] {
            let plan = plan(&db, &query).await;
            let whole = ["users", "memberships", "user_roles"].iter().any(|table| match database.engine() {
                Engine::Postgres => plan.contains(&format!("Seq Scan on {table}")),
                Engine::Sqlite => plan.contains(&format!("SCAN {table}")),
            });
            assert!(!whole && plan.to_lowercase().contains("index"), "{plan}");
        }
    }
}
