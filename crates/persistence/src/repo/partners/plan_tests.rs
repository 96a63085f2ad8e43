//! Lists and searches of an organization go through an index that begins with the organization, on both engines, however
//! many rows the others have.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, EntityTrait, QueryTrait, Statement};
use sme_pulse_domain::{ids::OrgId, rng::Rng};
use sme_pulse_testing::{TestDatabase, on_both_databases};

use super::*;
use crate::{
    DatabaseSettings, Store,
    seed::demo::{self, DemoSize},
};

struct Zeros;

impl Rng for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn settings(database: &TestDatabase) -> DatabaseSettings {
    match database.file() {
        Some(path) => DatabaseSettings::Sqlite { path },
        None => DatabaseSettings::Postgres { url: database.url().to_owned(), pool_size: 1, max_overflow: 3 },
    }
}

/// The operator's view of 4,000 customers, 20 to an organization.
async fn filled(database: &TestDatabase) -> Store {
    let store = Store::open_for_operator(&settings(database), Arc::new(Zeros)).await.unwrap();
    store.migrate_up().await.unwrap();
    let size = DemoSize { organizations: 200, users: 1, customers: 20, seed: 1 };
    let now = DateTime::<Utc>::from_timestamp(1_763_626_530, 0).unwrap();
    demo::run(&store, &size, ("x", now), |_| {}).await.unwrap();
    store
}

#[expect(clippy::disallowed_methods, reason = "any organization will do")]
async fn some_organization(store: &Store) -> TenantScope {
    let row = customer::Entity::find().one(store.pool()).await.unwrap().unwrap();
    TenantScope::assume_verified(OrgId::new(row.org_id), None)
}

/// The plan of a statement, as the engine writes it.
async fn plan(db: &impl ConnectionTrait, statement: Statement) -> String {
    let (explain, column) = match statement.db_backend {
        DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        _ => ("EXPLAIN", "QUERY PLAN"),
    };
    let explained = Statement { sql: format!("{explain} {}", statement.sql), ..statement };
    let lines = db.query_all_raw(explained).await.unwrap();
    lines.iter().map(|line| line.try_get::<String>("", column).unwrap()).collect::<Vec<_>>().join("\n")
}

/// Whether a plan reads the table from its beginning to its end, or passes over everybody's entries of an index.
fn scans(plan: &str, backend: DbBackend) -> bool {
    match backend {
        DbBackend::Sqlite => {
            plan.contains("SCAN customers") || plan.contains("SCAN suppliers") || !plan.contains("(org_id=?")
        }
        _ => plan.contains("Seq Scan") || !plan.contains("org_id = "),
    }
}

fn statements<T: PartnerTable>(scope: TenantScope, backend: DbBackend) -> Vec<Statement> {
    let search = |text: &str| Some(text.to_owned());
    let filters = [
        PartnerFilter::default(),
        PartnerFilter { status: Some(Status::Active), search: None },
        PartnerFilter { status: None, search: search("coffee") },
        PartnerFilter { status: Some(Status::Inactive), search: search("c000") },
    ];
    filters
        .iter()
        .flat_map(|filter| {
            let matching = matching::<T>(scope, backend, filter);
            let mut count = matching.clone().build(backend);
            count.sql = format!("SELECT COUNT(*) FROM ({}) AS sub_query", count.sql);
            [newest_first(matching).offset(0).limit(100).build(backend), count]
        })
        .collect()
}

on_both_databases! {
    async fn no_list_and_no_search_of_an_organization_reads_the_whole_table(database: TestDatabase) {
        let store = filled(&database).await;
        let backend = store.pool().get_database_backend();
        let scope = some_organization(&store).await;
        // As requests are served: on PostgreSQL with the policies in the plan.
        let serving = Store::open(&settings(&database), Arc::new(Zeros)).await.unwrap();
        let tx = serving.begin_read(scope).await.unwrap();
        for statement in statements::<customer::Entity>(scope, backend) {
            let plan = plan(tx.connection(), statement.clone()).await;
            assert!(!scans(&plan, backend), "{}\n{plan}", statement.sql);
        }
        drop(tx);
        serving.close().await.unwrap();
        store.close().await.unwrap();
    }

    async fn the_check_knows_a_scan_when_it_sees_one(database: TestDatabase) {
        let store = filled(&database).await;
        let backend = store.pool().get_database_backend();
        for sql in ["SELECT * FROM customers WHERE lower(name) = 'x'", "SELECT COUNT(*) FROM customers WHERE org_id + 0 = 1"] {
            let plan = plan(store.pool(), Statement::from_string(backend, sql)).await;
            assert!(scans(&plan, backend), "{sql}\n{plan}");
        }
        store.close().await.unwrap();
    }
}
