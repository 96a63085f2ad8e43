//! The release before runs on the schema after: each statement that it sends, as its tests had it send them, finds its tables,
//! columns, functions and rights, and gives every column that needs a value. `cargo xtask record-statements` makes the fixtures.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use sme_pulse_migration::{RUNTIME_ROLE, prepare_runtime_role, up};
use sme_pulse_testing::{Engine, TestDatabase, on_both_databases};

use crate::support::{lock, run, texts};

const POSTGRES: &str = include_str!("../fixtures/statements-postgres.sql");
const SQLITE: &str = include_str!("../fixtures/statements-sqlite.sql");

/// Columns that a row cannot do without, and that nobody but its writer gives.
const NEEDED_POSTGRES: &str = "SELECT table_name || '.' || column_name FROM information_schema.columns \
    WHERE table_schema IN ('core', 'finance', 'analytics', 'auth') AND is_nullable = 'NO' AND column_default IS NULL \
    AND is_identity = 'NO' AND is_generated = 'NEVER'";
const NEEDED_SQLITE: &str = "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c \
    WHERE t.type = 'table' AND c.\"notnull\" = 1 AND c.dflt_value IS NULL \
    AND NOT (c.pk = 1 AND lower(c.type) = 'integer')";

fn statements(engine: Engine) -> impl Iterator<Item = &'static str> {
    let text = match engine {
        Engine::Postgres => POSTGRES,
        Engine::Sqlite => SQLITE,
    };
    text.lines().filter_map(|line| line.strip_suffix(';'))
}

/// The highest number of a parameter.
fn parameters(sql: &str) -> usize {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    sql.split('$').skip(1).filter_map(|rest| digits(rest).parse().ok()).max().unwrap_or(0)
}

/// Has the engine look up everything the statement names, without running it. PostgreSQL checks the rights as well.
async fn explain(db: &DatabaseConnection, sql: &str) -> Result<(), DbErr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        return db.execute_unprepared(&format!("EXPLAIN {sql}")).await.map(drop);
    }
    let nulls = vec!["NULL"; parameters(sql)].join(", ");
    let given = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
    // The driver tells the types of parameters; this is the only one whose place does not.
    let sql = sql.replace("COUNT($1)", "COUNT($1::integer)");
    db.execute_unprepared("DEALLOCATE ALL").await?;
    db.execute_unprepared(&format!("PREPARE recorded AS {sql}")).await?;
    db.execute_unprepared(&format!("EXPLAIN EXECUTE recorded{given}")).await.map(drop)
}

/// Table and columns of an insert that names its columns.
fn insert(sql: &str) -> Option<(String, BTreeSet<String>)> {
    let (table, rest) = sql.strip_prefix("INSERT INTO ")?.split_once('(')?;
    let (columns, _) = rest.split_once(')')?;
    let plain = |name: &str| name.trim().trim_matches('"').to_owned();
    Some((plain(table.trim().rsplit('.').next()?), columns.split(',').map(plain).collect()))
}

/// What of the statements the schema does not answer any more.
async fn complaints(db: &TestDatabase) -> Vec<String> {
    let owner = db.connect().await;
    let needed = if db.engine() == Engine::Sqlite { NEEDED_SQLITE } else { NEEDED_POSTGRES };
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for needed in texts(&owner, needed).await {
        let (table, column) = needed.split_once('.').unwrap();
        needs.entry(table.to_owned()).or_default().insert(column.to_owned());
    }
    let server = db.connect_with(1).await;
    if db.engine() == Engine::Postgres {
        run(&server, &format!("SET ROLE {RUNTIME_ROLE}")).await.unwrap();
        // Made for any values, so that nothing is left out because a NULL settles it.
        run(&server, "SET plan_cache_mode = force_generic_plan").await.unwrap();
    }
    let mut found = Vec::new();
    for sql in statements(db.engine()) {
        if let Err(error) = explain(&server, sql).await {
            found.push(format!("{error}: {sql}"));
        }
        if let Some((table, given)) = insert(sql) {
            let missing = needs.get(&table).into_iter().flatten().filter(|column| !given.contains(*column));
            found.extend(missing.map(|column| format!("{table}.{column} gets no value: {sql}")));
        }
    }
    found
}

async fn migrated(db: &TestDatabase) -> DatabaseConnection {
    // One connection: others of SQLite learn of a changed schema late.
    let owner = db.connect_with(1).await;
    up(&owner, lock(db).as_deref()).await.unwrap();
    assert!(prepare_runtime_role(&owner, lock(db).as_deref()).await.unwrap().0.is_empty());
    owner
}

on_both_databases! {
    async fn every_statement_of_the_release_before_works_on_this_schema(db: TestDatabase) {
        migrated(&db).await;
        assert!(statements(db.engine()).count() > 150);
        let found = complaints(&db).await;
        assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n"));
    }

    async fn an_addition_is_not_noticed_but_what_breaks_the_release_before_is(db: TestDatabase) {
        let owner = migrated(&db).await;
        let named = |found: Vec<String>, what: &str| found.iter().any(|complaint| complaint.contains(what));
        run(&owner, "ALTER TABLE customers ADD COLUMN later INTEGER").await.unwrap();
        assert_eq!(complaints(&db).await, [""; 0]);
        run(&owner, "ALTER TABLE customers RENAME COLUMN name TO renamed").await.unwrap();
        assert!(named(complaints(&db).await, "name"));
        run(&owner, "ALTER TABLE customers RENAME COLUMN renamed TO name").await.unwrap();
        assert_eq!(complaints(&db).await, [""; 0]);
        run(&owner, "DROP TABLE guess_counters").await.unwrap();
        assert!(named(complaints(&db).await, "guess_counters"));
    }

    async fn a_column_that_needs_a_value_and_a_right_that_is_gone_are_noticed(db: TestDatabase) {
        let owner = migrated(&db).await;
        if db.engine() == Engine::Sqlite {
            // It adds no such column to a table; a table made anew could have one.
            return;
        }
        run(&owner, "ALTER TABLE finance.suppliers ADD COLUMN needed INTEGER NOT NULL").await.unwrap();
        let found = complaints(&db).await;
        assert!(!found.is_empty() && found.iter().all(|line| line.starts_with("suppliers.needed gets no value")), "{found:?}");
        run(&owner, "ALTER TABLE finance.suppliers DROP COLUMN needed").await.unwrap();
        run(&owner, &format!("REVOKE UPDATE ON auth.sessions FROM {RUNTIME_ROLE}")).await.unwrap();
        let found = complaints(&db).await;
        assert!(!found.is_empty() && found.iter().all(|line| line.contains("permission denied")), "{found:?}");
    }
}

#[test]
fn parameters_and_columns_are_read_from_the_text() {
    assert_eq!(parameters("SELECT $2, $11, $3"), 11);
    assert_eq!(parameters("SELECT 1"), 0);
    let (table, columns) = insert(r#"INSERT INTO "core"."users" ("a", "b") VALUES ($1, $2)"#).unwrap();
    assert_eq!((table.as_str(), columns.len()), ("users", 2));
    assert!(insert("SELECT 1").is_none());
}
