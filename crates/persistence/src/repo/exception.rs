//! The ways past row-level security. What comes before a tenant is known, and what keeps house for all, is a function of the
//! database on PostgreSQL (the migration `row_level_security` lists them) and the same query from here on SQLite, which
//! has no such wall. Tests on both engines keep the two alike.
//!
//! To add one: the function in a migration, as those there; a method of `Store` or `SystemTx` that says
//! `match call(db, "SELECT * FROM auth.find_it($1)", [key]) { Some(call) => …, None => … }`; a line in
//! `docs/security.md`. `sme-pulse migrate` grants it to the role that serves requests.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement, Value};

use crate::StoreError;

/// The call of such a function; `None` on SQLite.
pub(super) fn call<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &'static str,
    values: [Value; N],
) -> Option<Statement> {
    let backend = db.get_database_backend();
    (backend == DbBackend::Postgres).then(|| Statement::from_sql_and_values(backend, sql, values))
}

/// All rows that it returns.
pub(super) async fn rows<R: FromQueryResult>(db: &impl ConnectionTrait, call: Statement) -> Result<Vec<R>, StoreError> {
    Ok(R::find_by_statement(call).all(db).await?)
}

/// Its result, where that is how many rows it changed.
pub(super) async fn changed(db: &impl ConnectionTrait, call: Statement) -> Result<u64, StoreError> {
    let number = |row: QueryResult| row.try_get_by_index::<i64>(0);
    let changed = db.query_one_raw(call).await?.map(number).transpose()?.unwrap_or_default();
    Ok(u64::try_from(changed).unwrap_or_default())
}
