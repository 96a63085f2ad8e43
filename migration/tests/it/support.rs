//! What the tests share: the lock's path, and rows to begin with.

use std::path::PathBuf;

use sea_orm_migration::MigratorTrait as _;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use sme_pulse_migration::{Migrator, up};
use sme_pulse_testing::TestDatabase;

/// How many migrations there are.
pub(crate) fn all() -> usize {
    Migrator::migrations().len()
}

pub(crate) fn lock(db: &TestDatabase) -> Option<PathBuf> {
    db.folder().map(|folder| folder.join("test.db.migrate.lock"))
}

/// A connection to the whole schema with one row wherever others refer to: organizations 1 and 2, each with user,
/// customer, supplier and account; a posted invoice 1 and bill 1 of 1000, and payment 1, all of organization 1.
pub(crate) async fn furnished(db: &TestDatabase) -> DatabaseConnection {
    let connection = db.connect().await;
    up(&connection, lock(db).as_deref()).await.unwrap();
    for statement in FURNITURE {
        run(&connection, statement).await.unwrap();
    }
    connection
}

const FURNITURE: &[&str] = &[
    "INSERT INTO organizations (name) VALUES ('One'), ('Two')",
    "INSERT INTO roles (code, name) VALUES ('owner', 'Owner')",
    "INSERT INTO users (org_id, email, password_hash) VALUES (1, 'a@one.test', 'x'), (2, 'a@two.test', 'x')",
    "INSERT INTO customers (org_id, name) VALUES (1, 'C1'), (2, 'C2')",
    "INSERT INTO suppliers (org_id, name) VALUES (1, 'S1'), (2, 'S2')",
    "INSERT INTO accounts (org_id, name, type) VALUES (1, 'A1', 'cash'), (2, 'A2', 'bank')",
    "INSERT INTO ar_invoices (org_id, invoice_no, customer_id, issue_date, due_date, total_amount_minor, status) \
        VALUES (1, 'I1', 1, '2026-01-01', '2026-01-31', 1000, 'posted')",
    "INSERT INTO ap_bills (org_id, bill_no, supplier_id, issue_date, due_date, total_amount_minor, status) \
        VALUES (1, 'B1', 1, '2026-01-01', '2026-01-31', 1000, 'posted')",
    "INSERT INTO payments (org_id, account_id, direction, transaction_date, amount_minor) \
        VALUES (1, 1, 'in', '2026-01-02', 500)",
];

pub(crate) async fn run(db: &impl ConnectionTrait, sql: &str) -> Result<u64, DbErr> {
    db.execute_raw(Statement::from_string(db.get_database_backend(), sql)).await.map(|done| done.rows_affected())
}

/// The first column of every row, as text.
pub(crate) async fn texts(db: &impl ConnectionTrait, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}
