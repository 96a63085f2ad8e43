//! What the database says of its own tables: columns, their kinds, what they refer to, and whose rows they hold.

use sme_pulse_testing::Engine;

use super::super::support::TestApp;

/// Tables whose organization has another name than `org_id`.
const OTHER_NAMES: [(&str, &str); 3] =
    [("organizations", "id"), ("audit_heads", "chain_id"), ("audit_checkpoints", "chain_id")];
/// Tables that hold nothing of an organization. A new table without an organization fails until it is named here.
const OF_NOBODY: [&str; 6] =
    ["roles", "guess_counters", "sign_ups", "service_accounts", "signing_keys", "seaql_migrations"];

pub(super) struct Catalog {
    pub(super) tables: Vec<Table>,
}

pub(super) struct Table {
    pub(super) name: String,
    /// With its schema, where there are schemas.
    pub(super) sql: String,
    pub(super) columns: Vec<Column>,
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Table and column that it refers to; never the organization's.
    pub(super) refers: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text { most: Option<usize>, exactly: bool },
    Integer,
    Long,
    Time,
    Date,
    Uuid,
    Json,
}

impl Catalog {
    pub(super) async fn read(app: &TestApp) -> Self {
        let references =
            lines(app, if app.engine() == Engine::Postgres { POSTGRES_REFERENCES } else { SQLITE_REFERENCES }).await;
        let mut tables: Vec<Table> = Vec::new();
        for [schema, table, column, kind, most] in columns(app).await {
            if tables.last().is_none_or(|last| last.name != table) {
                let sql = if schema.is_empty() { table.clone() } else { format!("{schema}.{table}") };
                tables.push(Table { name: table.clone(), sql, columns: Vec::new() });
            }
            let refers = references.iter().find(|[from, by, _, _]| (from, by) == (&table, &column) && by != "org_id");
            let refers = refers.map(|[_, _, to, key]| (to.clone(), key.clone()));
            let kind = kind_of(&kind, most.parse().ok())
                .unwrap_or_else(|| panic!("{table}.{column}: add the kind {kind} to catalog.rs"));
            tables.last_mut().unwrap().columns.push(Column { name: column, kind, refers });
        }
        assert!(tables.len() > 20, "{} tables", tables.len());
        Self { tables }
    }

    pub(super) fn table(&self, name: &str) -> &Table {
        self.tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("there is no table {name}"))
    }
}

impl Table {
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|found| found.name == column)
    }

    /// The column that names the organization.
    pub(super) fn tenant_column(&self) -> Option<&str> {
        let other = OTHER_NAMES.iter().find(|(table, _)| *table == self.name).map(|(_, column)| *column);
        other.or_else(|| self.has("org_id").then_some("org_id"))
    }

    /// The condition that picks one organization's rows; `None` for tables of nobody.
    pub(super) fn rows_of(&self, org: i64) -> Option<String> {
        if OF_NOBODY.contains(&self.name.as_str()) {
            return None;
        }
        if let Some(column) = self.tenant_column() {
            return Some(format!("{column} = {org}"));
        }
        assert!(
            self.has("user_id"),
            "the table {} has no organization: add it to OTHER_NAMES or OF_NOBODY in catalog.rs",
            self.name
        );
        Some(format!("user_id IN (SELECT id FROM core.users WHERE org_id = {org})"))
    }

    /// The column that names the person a row is about.
    pub(super) fn person_column(&self) -> Option<&str> {
        match self.name.as_str() {
            "users" => Some("id"),
            "audit_log" => Some("actor_user_id"),
            _ => self.has("user_id").then_some("user_id"),
        }
    }
}

const POSTGRES_COLUMNS: &str = "SELECT concat_ws('|', table_schema, table_name, column_name, data_type, \
    COALESCE(character_maximum_length::text, '-')) FROM information_schema.columns \
    WHERE table_schema IN ('core', 'finance', 'analytics', 'auth') ORDER BY table_schema, table_name, ordinal_position";
const POSTGRES_REFERENCES: &str = "SELECT concat_ws('|', r.relname, a.attname, f.relname, b.attname) FROM pg_constraint c \
    JOIN pg_class r ON r.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid \
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k (x, y) \
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.x \
    JOIN pg_attribute b ON b.attrelid = f.oid AND b.attnum = k.y WHERE c.contype = 'f'";
const SQLITE_COLUMNS: &str = "SELECT m.name || '|' || p.name || '|' || p.type || '|' || m.sql FROM sqlite_master m \
    JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid";
const SQLITE_REFERENCES: &str = "SELECT m.name || '|' || f.\"from\" || '|' || f.\"table\" || '|' || f.\"to\" FROM sqlite_master m \
    JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";

/// Schema, table, column, kind and longest text of every column.
async fn columns(app: &TestApp) -> Vec<[String; 5]> {
    if app.engine() == Engine::Postgres {
        return lines(app, POSTGRES_COLUMNS).await;
    }
    let found = app.texts(SQLITE_COLUMNS).await.into_iter().flatten();
    let parse = |line: String| {
        let [table, column, kind, sql] = line.splitn(4, '|').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        let (kind, most) = sqlite_kind(&table, &column, &kind, &sql);
        [String::new(), table, column, kind, most]
    };
    found.map(parse).collect()
}

/// The type that PostgreSQL would give, from the checks that take its place.
fn sqlite_kind(table: &str, column: &str, declared: &str, sql: &str) -> (String, String) {
    let check = |word: &str| {
        let (_, rest) = sql.split_once(&format!("ck_{table}_{column}_{word} CHECK ("))?;
        Some(rest.split(['\n']).next().unwrap_or(rest))
    };
    let number = |text: &str, before: &str| {
        let digits = text.split_once(before)?.1;
        Some(digits.chars().take_while(char::is_ascii_digit).collect::<String>())
    };
    let none = || "-".to_owned();
    if declared == "INTEGER" {
        return (if check("range").is_some() { "integer" } else { "bigint" }.to_owned(), none());
    }
    if let Some(form) = check("form") {
        let kind = [
            (&*format!("{column} IS NULL OR json_valid"), "jsonb"),
            ("length(", "uuid"),
            (&*format!("{column} GLOB"), "timestamp"),
            (&*format!("{column} IS date"), "date"),
        ];
        let kind = kind.iter().find(|(begin, _)| form.starts_with(begin)).map_or("?", |(_, kind)| kind);
        return (kind.to_owned(), none());
    }
    match check("length") {
        Some(check) if check.starts_with(&format!("length({column}) = ")) => {
            ("character".to_owned(), number(check, "= ").unwrap())
        }
        Some(check) => ("character varying".to_owned(), number(check, "<= ").unwrap()),
        None => ("text".to_owned(), none()),
    }
}

fn kind_of(name: &str, most: Option<usize>) -> Option<Kind> {
    Some(match name {
        "character" => Kind::Text { most, exactly: true },
        "character varying" | "text" => Kind::Text { most, exactly: false },
        "integer" => Kind::Integer,
        "bigint" => Kind::Long,
        "date" => Kind::Date,
        "uuid" => Kind::Uuid,
        "jsonb" => Kind::Json,
        time if time.starts_with("timestamp") => Kind::Time,
        _ => return None,
    })
}

async fn lines<const PARTS: usize>(app: &TestApp, sql: &str) -> Vec<[String; PARTS]> {
    let split = |line: String| line.split('|').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    app.texts(sql).await.into_iter().flatten().map(split).collect()
}
