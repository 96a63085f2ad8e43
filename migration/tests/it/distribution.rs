//! Whether the tables could be spread over several servers by organization: which keys and foreign keys hold the
//! organization, and that `docs/capacity.md` says so. On PostgreSQL, the only one that can be spread.

mod look;
mod places;

use std::fs;
use std::path::Path;

use sea_orm_migration::sea_orm::ConnectionTrait as _;
use sme_pulse_testing::{TestDatabase, on_postgres};

use crate::support::{furnished, run, texts};
use look::{ForeignKey, Look, place};
use places::{PLACES, Place};

const DOCUMENT: &str = "docs/capacity.md";

fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DOCUMENT)).unwrap()
}

/// What stands between the line `<!-- name -->` and the line `<!-- end of name -->`.
fn part<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<!-- {name} -->\n")).expect("the part begins");
    rest.split_once(&format!("<!-- end of {name} -->")).expect("the part ends").0
}

fn statements(text: &str) -> String {
    part(text, "statements").lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n")
}

/// The table of the document.
fn rendered(look: &Look) -> String {
    let mut lines = vec![
        "| Table | Organization | Place | Keys with it | Keys without it | Foreign keys with it | Foreign keys without it |"
            .to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for (table, place) in PLACES {
        let organization = match look.column(table) {
            None => "none".to_owned(),
            Some(column) if look.may_be_null(table) => format!("`{column}`, may be null"),
            Some(column) => format!("`{column}`"),
        };
        let place = match place {
            Place::Spread(column) => format!("by `{column}`"),
            Place::Kept => "kept".to_owned(),
        };
        let keys = |with| {
            let own = look.keys.iter().filter(|key| key.table == table && look.holds(key) == with);
            cell(own.map(|key| format!("({})", key.columns.join(", "))))
        };
        let foreign_keys = |with| {
            let own = look.foreign_keys.iter().filter(|key| key.table == table && look.carries(key) == with);
            cell(own.map(arrow))
        };
        let cells = [keys(true), keys(false), foreign_keys(true), foreign_keys(false)].join(" | ");
        lines.push(format!("| {table} | {organization} | {place} | {cells} |"));
    }
    lines.join("\n") + "\n"
}

fn cell(entries: impl Iterator<Item = String>) -> String {
    let mut entries: Vec<String> = entries.collect();
    entries.sort();
    if entries.is_empty() { "-".to_owned() } else { entries.join(", ") }
}

fn arrow(key: &ForeignKey) -> String {
    let columns: Vec<&str> = key.pairs.iter().map(|(from, _)| &**from).collect();
    format!("({}) → {}", columns.join(", "), key.to)
}

#[test]
fn the_lists_name_every_key_and_foreign_key_without_an_organization_and_no_other() {
    on_postgres(|db: TestDatabase| async move {
        let look = Look::at(&furnished(&db).await).await;
        assert!(look.keys.len() > 50 && look.foreign_keys.len() > 40, "{look:?}");
        assert_eq!(look.surprises(), [""; 0]);
    });
}

#[test]
fn a_table_key_foreign_key_or_trigger_that_nobody_named_is_found() {
    on_postgres(|db: TestDatabase| async move {
        let db = furnished(&db).await;
        for (sql, surprise) in [
            ("CREATE TABLE finance.extra (org_id bigint NOT NULL)", "table: finance.extra is not in the list"),
            ("CREATE TABLE finance.loose (id bigint)", "no organization: finance.loose is not in the list"),
            ("CREATE TABLE finance.vague (org_id bigint)", "may be null: finance.vague is not in the list"),
            (
                "CREATE UNIQUE INDEX uq_names ON finance.customers (name) WHERE name = 'x'",
                "key without organization: uq_names is not in the list",
            ),
            (
                "ALTER TABLE finance.accounts ADD CONSTRAINT fk_accounts_twin FOREIGN KEY (id) REFERENCES finance.suppliers (id) NOT VALID",
                "foreign key without organization: fk_accounts_twin is not in the list",
            ),
            (
                "CREATE TRIGGER busy AFTER INSERT ON finance.customers FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()",
                "trigger of a spread table: busy is not in the list",
            ),
            (
                "CREATE POLICY nosy ON finance.customers USING (auth.is_at_home(id))",
                "policy of a spread table that asks another one: finance.customers is not in the list",
            ),
            (
                "ALTER TABLE auth.revocations ALTER COLUMN org_id SET NOT NULL",
                "may be null: auth.revocations is in the list, but not so",
            ),
        ] {
            run(&db, sql).await.unwrap();
            let surprises = Look::at(&db).await.surprises();
            assert!(surprises.iter().any(|one| one == surprise), "{sql}: {surprises:?}");
        }
    });
}

#[test]
fn the_document_shows_the_catalog() {
    on_postgres(|db: TestDatabase| async move {
        let wanted = rendered(&Look::at(&furnished(&db).await).await);
        let text = document();
        assert!(part(&text, "keys").trim() == wanted.trim(), "{DOCUMENT} should have:\n{wanted}");
    });
}

#[test]
fn the_statements_of_the_document_make_every_key_ready_and_tenants_stay_apart() {
    on_postgres(|db: TestDatabase| async move {
        let db = furnished(&db).await;
        let hash = "0".repeat(64);
        let event = |org: &str, column: &str, more: &str| {
            format!("INSERT INTO audit_log (org_id, action, seq, hash{column}) VALUES ({org}, 'a', 1, '{hash}'{more})")
        };
        for org in ["1", "NULL"] {
            run(&db, &event(org, "", "")).await.unwrap();
        }
        let before = Look::at(&db).await;
        assert!(before.obstacles().len() > 30, "{:?}", before.obstacles());

        db.execute_unprepared(&statements(&document())).await.unwrap();
        let after = Look::at(&db).await;
        assert_eq!(after.obstacles(), [""; 0]);

        // What other tables refer to still has a key that says which row is which.
        for (table, _) in PLACES {
            let key = |look: &Look| look.keys.iter().filter(|key| key.table == table).count();
            assert!(key(&after) > 0, "{table} has no key left");
        }
        assert_eq!(texts(&db, "SELECT chain_id::text FROM audit_log ORDER BY 1").await, ["0", "1"]);
        assert!(run(&db, &event("1", ", chain_id", ", 1")).await.is_err());
        assert!(run(&db, &event("2", ", chain_id", ", 1")).await.is_err());
        run(&db, &event("2", ", chain_id", ", 2")).await.unwrap();
        let invoice = |org: u8, number: &str| {
            format!(
                "INSERT INTO ar_invoices (org_id, invoice_no, customer_id, issue_date, due_date, total_amount_minor) \
                 VALUES ({org}, '{number}', 1, '2026-01-01', '2026-01-31', 10)"
            )
        };
        assert!(run(&db, &invoice(2, "X")).await.is_err());
        run(&db, &invoice(1, "X")).await.unwrap();
        assert!(run(&db, &invoice(1, "X")).await.is_err());
    });
}

#[test]
fn the_document_spreads_the_tables_that_are_to_be_spread() {
    let text = document();
    let calls: Vec<&str> =
        part(&text, "calls").lines().filter_map(|line| line.strip_prefix("SELECT create_")).collect();
    let wanted = |table: &str, column: &str| format!("distributed_table('{table}', '{column}'");
    for (table, place) in PLACES {
        let spread = calls.iter().any(|call| match place {
            Place::Spread(column) => call.starts_with(&wanted(table, column)),
            Place::Kept => call.contains(&format!("'{table}'")),
        });
        assert_eq!(spread, matches!(place, Place::Spread(_)), "{table}");
    }
    assert!(place("finance.customers").is_some());
}
