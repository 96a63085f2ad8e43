//! Empties a database, for development. What is not ours stays where that can be told.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::dialect::Dialect;
use crate::table::Schema;

/// A view, or a table to which no other table refers any more.
const SQLITE_FREE: &str = "SELECT o.type AS type, o.name AS name FROM sqlite_master o \
    WHERE o.type IN ('table', 'view') AND o.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
    AND NOT EXISTS (SELECT 1 FROM sqlite_master c, pragma_foreign_key_list(c.name) f \
        WHERE c.type = 'table' AND c.name <> o.name AND lower(f.\"table\") = lower(o.name)) \
    ORDER BY o.type DESC, o.name";

pub(crate) async fn drop_everything(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    match Dialect::of(db.get_database_backend())? {
        Dialect::Postgres => {
            for name in Schema::ALL.map(Schema::name) {
                db.execute_unprepared(&format!("DROP SCHEMA IF EXISTS {name} CASCADE")).await?;
            }
            db.execute_unprepared("DROP TABLE IF EXISTS public.seaql_migrations").await?;
        }
        // Foreign keys cannot be switched off inside a transaction, so the tables go in their order.
        Dialect::Sqlite => while drop_one(db).await? {},
    }
    Ok(())
}

/// False when nothing is left that could go.
async fn drop_one(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), SQLITE_FREE);
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(false) };
    let (kind, name): (String, String) = (row.try_get("", "type")?, row.try_get("", "name")?);
    db.execute_unprepared(&format!("DROP {kind} \"{}\"", name.replace('"', "\"\""))).await?;
    Ok(true)
}
