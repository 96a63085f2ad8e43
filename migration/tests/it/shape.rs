//! What lies where after the migrations, and that the way down leads back.

use sea_orm_migration::MigratorTrait as _;
use sme_pulse_migration::{Migrator, down, fresh, up};
use sme_pulse_testing::{Engine, TestDatabase, on_both_databases};

use crate::catalog::catalog;
use crate::support::{all, furnished, lock, run, texts};

const TABLES: [&str; 32] = [
    "analytics.alerts",
    "analytics.export_jobs",
    "analytics.settings",
    "auth.api_keys",
    "auth.audit_checkpoints",
    "auth.audit_heads",
    "auth.audit_log",
    "auth.given_passwords",
    "auth.guess_counters",
    "auth.idempotency_keys",
    "auth.invitations",
    "auth.memberships",
    "auth.mfa_challenges",
    "auth.mfa_factors",
    "auth.mfa_recovery_codes",
    "auth.password_reset_tokens",
    "auth.revocations",
    "auth.service_accounts",
    "auth.sessions",
    "auth.sign_ups",
    "auth.signing_keys",
    "core.organizations",
    "core.roles",
    "core.user_roles",
    "core.users",
    "finance.accounts",
    "finance.ap_bills",
    "finance.ar_invoices",
    "finance.customers",
    "finance.payment_allocations",
    "finance.payments",
    "finance.suppliers",
];

on_both_databases! {
    async fn fourteen_tables_lie_in_three_schemas_and_the_rest_in_auth(db: TestDatabase) {
        let connection = db.connect().await;
        up(&connection, lock(&db).as_deref()).await.unwrap();
        let (found, wanted) = match db.engine() {
            Engine::Postgres => {
                let query = "SELECT schemaname || '.' || tablename FROM pg_tables \
                    WHERE schemaname !~ '^(pg_|information_schema)' ORDER BY 1";
                let mut wanted: Vec<&str> = TABLES.to_vec();
                wanted.push("public.seaql_migrations");
                (texts(&connection, query).await, wanted)
            }
            Engine::Sqlite => {
                let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence' \
                    ORDER BY 1";
                let mut wanted: Vec<&str> = TABLES.iter().filter_map(|name| name.split('.').next_back()).collect();
                wanted.push("seaql_migrations");
                wanted.sort_unstable();
                (texts(&connection, query).await, wanted)
            }
        };
        assert_eq!(found, wanted);
        assert_eq!(TABLES.iter().filter(|name| !name.starts_with("auth.")).count(), 14);
    }

    async fn up_down_and_up_again_gives_the_same_schema_even_with_rows_in_it(db: TestDatabase) {
        let lock = lock(&db);
        let connection = furnished(&db).await;
        let first = catalog(&connection).await;
        assert!(first.len() > 60, "{first:?}");

        assert_eq!(down(&connection, lock.as_deref(), None).await.unwrap().len(), all());
        let empty = catalog(&connection).await;
        assert!(empty.iter().all(|line| line.contains("seaql_migrations") || line == "schema public"), "{empty:?}");
        assert!(texts(&connection, "SELECT version FROM seaql_migrations").await.is_empty());

        up(&connection, lock.as_deref()).await.unwrap();
        assert_eq!(catalog(&connection).await, first);
    }

    async fn steps_down_take_back_the_newest_alone(db: TestDatabase) {
        let lock = lock(&db);
        let connection = furnished(&db).await;
        let whole = catalog(&connection).await;
        let mut newest: Vec<String> = Migrator::migrations().iter().map(|change| change.name().to_owned()).collect();
        newest.drain(..newest.iter().position(|name| name.ends_with("_auth")).unwrap());
        let steps = u32::try_from(newest.len()).unwrap();
        newest.reverse();
        assert_eq!(down(&connection, lock.as_deref(), Some(steps)).await.unwrap(), newest);
        assert_eq!(texts(&connection, "SELECT name FROM customers ORDER BY id").await, ["C1", "C2"]);
        assert!(run(&connection, "SELECT 1 FROM sessions").await.is_err());
        newest.reverse();
        assert_eq!(up(&connection, lock.as_deref()).await.unwrap(), newest);
        assert_eq!(catalog(&connection).await, whole);
    }

    async fn fresh_removes_rows_and_unknown_tables_of_ours_and_builds_the_same_schema(db: TestDatabase) {
        let lock = lock(&db);
        let connection = furnished(&db).await;
        let whole = catalog(&connection).await;
        let later = match db.engine() {
            Engine::Postgres => "CREATE TABLE core.later (org_id bigint REFERENCES core.organizations (id))",
            Engine::Sqlite => "CREATE TABLE later (org_id INTEGER REFERENCES organizations (id))",
        };
        run(&connection, later).await.unwrap();
        run(&connection, "INSERT INTO seaql_migrations VALUES ('m20990101_000001_later', 0)").await.unwrap();

        assert_eq!(fresh(&connection, lock.as_deref()).await.unwrap().len(), all());
        assert_eq!(catalog(&connection).await, whole);
        assert!(texts(&connection, "SELECT name FROM organizations").await.is_empty());
    }

    async fn a_pool_of_one_connection_is_enough_for_everything(db: TestDatabase) {
        let lock = lock(&db);
        let connection = db.connect_with(1).await;
        up(&connection, lock.as_deref()).await.unwrap();
        down(&connection, lock.as_deref(), None).await.unwrap();
        fresh(&connection, lock.as_deref()).await.unwrap();
        connection.ping().await.unwrap();
    }

    async fn every_foreign_key_but_those_of_who_columns_is_the_start_of_an_index(db: TestDatabase) {
        let connection = db.connect().await;
        up(&connection, lock(&db).as_deref()).await.unwrap();
        let query = match db.engine() {
            Engine::Postgres => "SELECT c.conname FROM pg_constraint c WHERE c.contype = 'f' \
                AND c.conname !~ '_(created|updated|voided|reconciled|invited|accepted)_by$' AND NOT EXISTS (SELECT 1 FROM pg_index i \
                WHERE i.indrelid = c.conrelid AND i.indpred IS NULL \
                AND (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1] @> c.conkey)",
            Engine::Sqlite => "SELECT m.name || '.' || f.id FROM sqlite_master m, pragma_foreign_key_list(m.name) f \
                WHERE m.type = 'table' AND f.\"from\" NOT IN ('created_by', 'updated_by', 'voided_by', \
                'reconciled_by', 'invited_by', 'accepted_by') AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) l, pragma_index_info(l.name) i \
                WHERE l.partial = 0 AND i.seqno = f.seq AND i.name = f.\"from\")",
        };
        assert_eq!(texts(&connection, query).await, [""; 0]);
    }
}
