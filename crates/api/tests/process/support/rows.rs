//! The database beside the process.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use sme_pulse_testing::{Engine, TestDatabase};

use super::Home;

/// Rows of the seeds: roles, organizations, users, role links, customers, suppliers, accounts.
const SEEDED: [&str; 7] = [
    "core.roles",
    "core.organizations",
    "core.users",
    "core.user_roles",
    "finance.customers",
    "finance.suppliers",
    "finance.accounts",
];

impl Home {
    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().unwrap()
    }

    /// Runs a statement; `core.`, `finance.`, `analytics.` and `auth.` are taken off on SQLite.
    pub(crate) async fn sql(&self, sql: &str) {
        let db = self.database().connect().await;
        db.execute_unprepared(&self.dialect(sql)).await.unwrap();
        db.close().await.unwrap();
    }

    /// The first column of a query, as integers.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let rows = self.rows(sql).await;
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// The first column of a query, as texts.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.rows(sql).await;
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// The count of rows in each table that the seeds write.
    pub(crate) async fn seeded(&self) -> Vec<i64> {
        let counts = SEEDED.map(|table| format!("SELECT COUNT(*) FROM {table}")).join(" UNION ALL ");
        self.numbers(&counts).await
    }

    pub(super) async fn rows(&self, sql: &str) -> Vec<sea_orm::QueryResult> {
        let db: DatabaseConnection = self.database().connect().await;
        let statement = Statement::from_string(db.get_database_backend(), self.dialect(sql));
        let rows = db.query_all_raw(statement).await.unwrap();
        db.close().await.unwrap();
        rows
    }

    /// SQLite's own check of the whole file and of every reference. PostgreSQL has no such thing and needs none.
    pub(crate) async fn assert_intact(&self) {
        if self.database().engine() == Engine::Sqlite {
            assert_eq!(self.texts("PRAGMA integrity_check").await, ["ok"]);
            assert!(self.rows("PRAGMA foreign_key_check").await.is_empty());
        }
    }

    pub(crate) fn dialect(&self, sql: &str) -> String {
        if self.database().engine() == Engine::Postgres {
            return sql.to_owned();
        }
        ["core.", "finance.", "analytics.", "auth."].iter().fold(sql.to_owned(), |sql, schema| sql.replace(schema, ""))
    }
}
