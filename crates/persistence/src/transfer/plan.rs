//! Which tables there are, in the order of their references, and what their columns hold. PostgreSQL tells it, whose types say
//! more; the SQLite side must have the same.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, QueryResult, Statement};

use super::{TransferError, rows};
use crate::{Engine, StoreError, SystemTx};

const COLUMNS: &str = "SELECT n.nspname::text, c.relname::text, a.attname::text, \
    format_type(a.atttypid, NULL), a.attidentity <> '' \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
    WHERE n.nspname IN ('core', 'finance', 'analytics', 'auth') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped \
    ORDER BY n.nspname, c.relname, a.attnum";
const REFERENCES: &str = "SELECT c.relname::text, t.relname::text FROM pg_constraint f \
    JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class t ON t.oid = f.confrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE f.contype = 'f' AND f.conrelid <> f.confrelid AND n.nspname IN ('core', 'finance', 'analytics', 'auth')";
const HIDDEN: &str = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname IN ('core', 'finance', 'analytics', 'auth') AND c.relkind = 'r' \
    AND row_security_active(c.oid) AND NOT pg_has_role(current_user, c.relowner, 'USAGE') ORDER BY 1 LIMIT 1";
const SQLITE_COLUMNS: &str = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c \
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name <> 'seaql_migrations'";

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    schema: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// One of its columns.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    is_numbered: bool,
}

/// What travels differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Time,
    Date,
    Uuid,
    Json,
}

impl Table {
    /// The name by which an engine finds it.
    pub(super) fn on(&self, engine: Engine) -> String {
        match engine {
            Engine::Postgres => format!("{}.{}", self.schema, self.name),
            Engine::Sqlite => self.name.clone(),
        }
    }

    /// Columns of money.
    pub(super) fn money(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str()).filter(|name| name.ends_with("_minor"))
    }

    fn numbered(&self) -> Option<&str> {
        self.columns.iter().find(|column| column.is_numbered).map(|column| column.name.as_str())
    }
}

/// All of them, each after those that it refers to.
pub(super) async fn tables(postgres: &SystemTx) -> Result<Vec<Table>, TransferError> {
    let mut waiting: BTreeMap<String, Table> = BTreeMap::new();
    for row in rows(postgres, COLUMNS).await? {
        let (schema, name, column) = (text(&row, 0)?, text(&row, 1)?, text(&row, 2)?);
        let kind = kind(&text(&row, 3)?).ok_or_else(|| TransferError::Schemas(format!("{name}.{column}")))?;
        let is_numbered = row.try_get_by_index(4).map_err(StoreError::from)?;
        let table = Table { schema, name: name.clone(), columns: Vec::new() };
        waiting.entry(name).or_insert(table).columns.push(Column { name: column, kind, is_numbered });
    }
    let mut references = BTreeSet::new();
    for row in rows(postgres, REFERENCES).await? {
        references.insert((text(&row, 0)?, text(&row, 1)?));
    }
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let waits = |name: &str| references.iter().any(|(from, to)| from == name && waiting.contains_key(to));
        let Some(next) = waiting.keys().find(|name| !waits(name)).cloned() else {
            return Err(TransferError::Schemas("tables that refer to each other in a circle".to_owned()));
        };
        ordered.extend(waiting.remove(&next));
    }
    Ok(ordered)
}

/// Both sides have the same tables and columns.
pub(super) async fn require_the_same(tables: &[Table], sqlite: &SystemTx) -> Result<(), TransferError> {
    let columns = |table: &Table| {
        let of = |column: &Column| (table.name.clone(), column.name.clone());
        table.columns.iter().map(of).collect::<Vec<_>>()
    };
    let here: BTreeSet<(String, String)> = tables.iter().flat_map(columns).collect();
    let mut there = BTreeSet::new();
    for row in rows(sqlite, SQLITE_COLUMNS).await? {
        there.insert((text(&row, 0)?, text(&row, 1)?));
    }
    match here.symmetric_difference(&there).next() {
        Some((table, column)) => Err(TransferError::Schemas(format!("{table}.{column}"))),
        None => Ok(()),
    }
}

/// No policy keeps rows from the role.
pub(super) async fn require_sight(postgres: &SystemTx) -> Result<(), TransferError> {
    match rows(postgres, HIDDEN).await?.first() {
        Some(row) => Err(TransferError::Hidden(text(row, 0)?)),
        None => Ok(()),
    }
}

/// The last number that was ever given to a row; `None` when none was, or rows have no numbers.
pub(super) async fn last_number(tx: &SystemTx, table: &Table) -> Result<Option<i64>, TransferError> {
    let Some(column) = table.numbered() else { return Ok(None) };
    let name = table.on(tx.engine());
    let sql = match tx.engine() {
        Engine::Sqlite => format!("SELECT seq FROM sqlite_sequence WHERE name = '{name}' AND seq > 0"),
        // The relation itself says whether a number was given; the view of sequences asks for more rights.
        Engine::Postgres => format!("SELECT last_value FROM {name}_{column}_seq WHERE is_called"),
    };
    let found = rows(tx, &sql).await?;
    Ok(found.first().map(|row| row.try_get_by_index(0)).transpose().map_err(StoreError::from)?)
}

/// The next number is a later one.
pub(super) async fn go_on_after(tx: &SystemTx, table: &Table, last: i64) -> Result<(), TransferError> {
    let Some(column) = table.numbered() else { return Ok(()) };
    let name = table.on(tx.engine());
    let statements = match tx.engine() {
        Engine::Sqlite => vec![
            format!("DELETE FROM sqlite_sequence WHERE name = '{name}'"),
            format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('{name}', {last})"),
        ],
        Engine::Postgres => vec![format!("SELECT setval(pg_get_serial_sequence('{name}', '{column}'), {last})")],
    };
    let tx = tx.connection();
    for sql in statements {
        tx.query_all_raw(Statement::from_string(tx.get_database_backend(), sql)).await.map_err(StoreError::from)?;
    }
    Ok(())
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "integer" | "bigint" => Kind::Number,
        "text" | "character" | "character varying" => Kind::Text,
        "timestamp with time zone" => Kind::Time,
        "date" => Kind::Date,
        "uuid" => Kind::Uuid,
        "jsonb" => Kind::Json,
        _ => return None,
    })
}

fn text(row: &QueryResult, index: usize) -> Result<String, StoreError> {
    Ok(row.try_get_by_index(index)?)
}
