//! Rows in every table of a tenant, made from the catalog, and what those of an organization look like.

use std::collections::{BTreeMap, BTreeSet};

use sme_pulse_testing::Engine;

use super::super::support::TestApp;
use super::canary::{Canaries, Mark, VICTIM};
use super::catalog::{Catalog, Table};

/// Columns whose values the database or the product restricts: table (or `*`), column, a literal of SQL. A new column that
/// takes no canary fails until it is named here.
const FIXED: &[(&str, &str, &str)] = &[
    ("ar_invoices", "status", "'posted'"),
    ("ap_bills", "status", "'posted'"),
    ("payments", "status", "'posted'"),
    ("payments", "direction", "'in'"),
    ("payments", "reconciliation_status", "'pending'"),
    ("payments", "voided_at", "NULL"),
    ("payment_allocations", "ap_bill_id", "NULL"),
    ("accounts", "account_type", "'asset'"),
    ("accounts", "type", "'cash'"),
    ("customers", "credit_term", "77"),
    ("suppliers", "payment_term", "77"),
    ("export_jobs", "job_type", "'cashflow'"),
    ("export_jobs", "status", "'pending'"),
    ("alerts", "severity", "'info'"),
    ("alerts", "status", "'new'"),
    ("user_roles", "role_id", "(SELECT id FROM core.roles WHERE code = 'owner')"),
    ("invitations", "roles", "'cashier'"),
    ("sessions", "amr", "'pwd'"),
    ("api_keys", "permissions", "'read_partners'"),
    ("api_keys", "expires_at", "NULL"),
    ("audit_log", "encoding", "2"),
    ("revocations", "kind", "'session'"),
    ("*", "paid_amount_minor", "0"),
    ("*", "status", "'active'"),
    ("*", "revoked_at", "NULL"),
    ("*", "revoke_reason", "NULL"),
    ("*", "used_at", "NULL"),
    ("*", "accepted_at", "NULL"),
    ("*", "accepted_by", "NULL"),
    ("*", "erased", "NULL"),
];

/// The literals of a row, by column.
pub(super) type Row = BTreeMap<String, String>;

/// Makes rows of one organization.
pub(super) struct Rows {
    org: i64,
    mark: Mark,
    /// Whom new rows name as their person; for the victim the user among its rows.
    person: Option<i64>,
    made: BTreeMap<String, Row>,
}

impl Rows {
    /// The victim's.
    pub(super) fn of_the_victim() -> Self {
        Self { org: VICTIM, mark: Mark::Canary, person: None, made: BTreeMap::new() }
    }

    /// The victim's that name this person, who belongs to it.
    pub(super) fn of_the_victim_and(person: i64) -> Self {
        Self { person: Some(person), ..Self::of_the_victim() }
    }

    /// More of the victim, with values that are valid and no marks; whatever they refer to is there already.
    pub(super) fn of_the_victim_without_marks(victim: &Self) -> Self {
        Self { org: VICTIM, mark: Mark::Plain, person: None, made: victim.made.clone() }
    }

    /// Those of somebody who calls.
    pub(super) fn of_a_caller(org: i64, person: i64) -> Self {
        Self { org, mark: Mark::Plain, person: Some(person), made: BTreeMap::new() }
    }

    /// One row in every table that holds rows of organizations.
    pub(super) async fn everywhere(&mut self, app: &TestApp, catalog: &Catalog, canaries: &mut Canaries) {
        let org = self.org;
        self.known(app, catalog, canaries, "organizations").await;
        for table in catalog.tables.iter().filter(|table| table.rows_of(org).is_some()) {
            self.known(app, catalog, canaries, &table.name).await;
        }
    }

    /// A value of the row of that table.
    pub(super) fn value(&self, table: &str, column: &str) -> &str {
        &self.made[table][column]
    }

    async fn known(&mut self, app: &TestApp, catalog: &Catalog, canaries: &mut Canaries, table: &str) {
        if !self.made.contains_key(table) {
            let row = Box::pin(self.another(app, catalog, canaries, table)).await;
            self.made.insert(table.to_owned(), row);
        }
    }

    /// A new row, with those it needs.
    #[expect(clippy::print_stdout, reason = "shown only when the database refuses the row")]
    pub(super) async fn another(
        &mut self,
        app: &TestApp,
        catalog: &Catalog,
        canaries: &mut Canaries,
        name: &str,
    ) -> Row {
        let table = catalog.table(name);
        let mut row = Row::new();
        for column in &table.columns {
            let fixed = FIXED.iter().find(|(of, what, _)| (*of == "*" || *of == name) && *what == column.name);
            let literal = if Some(column.name.as_str()) == table.tenant_column() {
                self.org.to_string()
            } else if let Some((.., literal)) = fixed {
                (*literal).to_owned()
            } else if let Some((to, key)) = &column.refers {
                if let Some(person) = self.person.filter(|_| to == "users") {
                    person.to_string()
                } else {
                    self.known(app, catalog, canaries, to).await;
                    self.made[to][key].clone()
                }
            } else if column.name == "id" && self.mark == Mark::Plain && column.kind == super::catalog::Kind::Long {
                continue;
            } else if column.name == "id" && column.kind == super::catalog::Kind::Long {
                canaries.id().to_string()
            } else {
                canaries.literal(&column.name, column.kind, self.mark)
            };
            row.insert(column.name.clone(), literal);
        }
        let (columns, values): (Vec<_>, Vec<_>) =
            row.iter().map(|(column, value)| (format!("\"{column}\""), value.as_str())).unzip();
        if self.mark == Mark::Canary {
            println!(
                "a row of the victim in {name}; if it is refused, give the column a value in FIXED of isolation/rows.rs"
            );
        }
        app.sql(&format!("INSERT INTO {} ({}) VALUES ({})", table.sql, columns.join(", "), values.join(", "))).await;
        if table.has("id") && !row.contains_key("id") {
            let newest = format!("SELECT MAX(id) FROM {} WHERE {}", table.sql, table.rows_of(self.org).unwrap());
            row.insert("id".to_owned(), app.numbers(&newest).await[0].to_string());
        }
        row
    }
}

/// Everything that the database holds of an organization, a line for each row.
pub(super) async fn rows_of(app: &TestApp, catalog: &Catalog, org: i64, without: &Without) -> BTreeSet<String> {
    let tables = catalog.tables.iter().filter_map(|table| {
        let rows = table.rows_of(org)?;
        let rows = without.condition(table).map_or(rows.clone(), |condition| format!("{rows} AND {condition}"));
        Some(format!("SELECT '{}' || ' ' || {} FROM {} WHERE {rows}", table.name, whole_row(app, table), table.sql))
    });
    let all = tables.collect::<Vec<_>>().join(" UNION ALL ");
    app.texts(&all).await.into_iter().flatten().collect()
}

fn whole_row(app: &TestApp, table: &Table) -> String {
    if app.engine() == Engine::Postgres {
        return format!("CAST({} AS text)", table.name);
    }
    let columns = table.columns.iter().map(|column| format!("'{}=' || quote(\"{}\")", column.name, column.name));
    columns.collect::<Vec<_>>().join(" || ',' || ")
}

/// What does not count as a change of an organization: what people do to their own account. Their memberships and roles
/// do count.
#[derive(Default)]
pub(super) struct Without {
    /// These people's own rows are left out.
    pub(super) people: Vec<i64>,
    /// One of them has their home there, so their events go into its audit trail.
    pub(super) trail: bool,
}

/// The end of an own session is in the list of revocations as well.
const OF_A_PERSON: [&str; 8] = [
    "users",
    "sessions",
    "mfa_factors",
    "mfa_recovery_codes",
    "mfa_challenges",
    "password_reset_tokens",
    "audit_log",
    "revocations",
];

impl Without {
    fn condition(&self, table: &Table) -> Option<String> {
        if self.trail && table.name == "audit_heads" {
            return Some("1 = 0".to_owned());
        }
        let column =
            table.person_column().filter(|_| OF_A_PERSON.contains(&table.name.as_str()) && !self.people.is_empty())?;
        let people: Vec<_> = self.people.iter().map(i64::to_string).collect();
        Some(format!("({column} IS NULL OR {column} NOT IN ({}))", people.join(", ")))
    }
}
