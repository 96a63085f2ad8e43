//! Rows as lines of JSON: how each engine writes and reads one. All values but numbers are texts in the form that the other engine
//! takes them in.

use sea_orm::{ConnectionTrait, Statement};

use super::{
    plan::{Column, Kind, Table},
    rows,
};
use crate::{Engine, StoreError, SystemTx};

/// The cursor on PostgreSQL; one at a time.
const CURSOR: &str = "rows_to_copy";

/// Reads a table from its first row to its last.
pub(super) struct Reader<'a> {
    tx: &'a SystemTx,
    select: String,
    /// SQLite: the row that was read last.
    after: i64,
}

impl<'a> Reader<'a> {
    pub(super) async fn open(tx: &'a SystemTx, table: &Table) -> Result<Self, StoreError> {
        let on = table.on(tx.engine());
        let members = |member: fn(&Column) -> String| table.columns.iter().map(member).collect::<Vec<_>>().join(", ");
        let select = match tx.engine() {
            Engine::Sqlite => format!("SELECT rowid, json_object({}) FROM {on}", members(sqlite_member)),
            Engine::Postgres => {
                let select = format!("SELECT json_build_object({})::text FROM {on}", members(postgres_member));
                tx.connection().execute_unprepared(&format!("DECLARE {CURSOR} CURSOR FOR {select}")).await?;
                select
            }
        };
        Ok(Self { tx, select, after: i64::MIN })
    }

    /// The next lines; none at the end.
    pub(super) async fn next(&mut self, at_most: i64) -> Result<Vec<String>, StoreError> {
        let Self { tx, select, after } = self;
        let mut lines = Vec::new();
        match tx.engine() {
            Engine::Sqlite => {
                let sql = format!("{select} WHERE rowid > {after} ORDER BY rowid LIMIT {at_most}");
                for row in rows(tx, &sql).await? {
                    *after = row.try_get_by_index(0)?;
                    lines.push(row.try_get_by_index(1)?);
                }
            }
            Engine::Postgres => {
                for row in rows(tx, &format!("FETCH {at_most} FROM {CURSOR}")).await? {
                    lines.push(row.try_get_by_index(0)?);
                }
            }
        }
        Ok(lines)
    }

    pub(super) async fn close(self) -> Result<(), StoreError> {
        if self.tx.engine() == Engine::Postgres {
            self.tx.connection().execute_unprepared(&format!("CLOSE {CURSOR}")).await?;
        }
        Ok(())
    }
}

/// Adds the rows of these lines.
pub(super) async fn write(tx: &SystemTx, table: &Table, lines: &[String]) -> Result<(), StoreError> {
    let on = table.on(tx.engine());
    let list = |text: fn(&Column) -> String| table.columns.iter().map(text).collect::<Vec<_>>().join(", ");
    let columns = list(|column| quoted(&column.name));
    let sql = match tx.engine() {
        Engine::Sqlite => {
            let values = list(|column| format!("json_extract(value, '$.\"{}\"')", column.name));
            format!("INSERT INTO {on} ({columns}) SELECT {values} FROM json_each($1) ORDER BY key")
        }
        Engine::Postgres => {
            let (values, types) = (list(postgres_value), list(postgres_type));
            format!("INSERT INTO {on} ({columns}) SELECT {values} FROM json_to_recordset($1::json) AS line({types})")
        }
    };
    let tx = tx.connection();
    let array = format!("[{}]", lines.join(","));
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, [array.into()])).await?;
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn sqlite_member(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.kind {
        // Without a zone PostgreSQL would take it for a local time.
        Kind::Time => format!("'{}', {name} || 'Z'", column.name),
        _ => format!("'{}', {name}", column.name),
    }
}

fn postgres_member(column: &Column) -> String {
    let name = quoted(&column.name);
    let value = match column.kind {
        Kind::Number | Kind::Text => name,
        Kind::Time => format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
        Kind::Date => format!("to_char({name}, 'YYYY-MM-DD')"),
        Kind::Uuid | Kind::Json => format!("{name}::text"),
    };
    format!("'{}', {value}", column.name)
}

/// Texts have no length here: the column itself refuses what is too long for it, where a cast would cut it off.
fn postgres_type(column: &Column) -> String {
    let kind = match column.kind {
        Kind::Number => "bigint",
        Kind::Text | Kind::Json => "text",
        Kind::Time => "timestamptz",
        Kind::Date => "date",
        Kind::Uuid => "uuid",
    };
    format!("{} {kind}", quoted(&column.name))
}

fn postgres_value(column: &Column) -> String {
    let name = quoted(&column.name);
    // As text it keeps the difference between a null of JSON and none at all.
    if column.kind == Kind::Json { format!("{name}::jsonb") } else { name }
}
