//! The rows that the database itself refuses, the same on both engines.

use sea_orm_migration::sea_orm::DatabaseConnection;
use sme_pulse_testing::{Engine, TestDatabase, on_both_databases};

use crate::support::{furnished, run, texts};

/// The statement fails, and with a check of this name.
async fn refused_by(db: &DatabaseConnection, check: &str, sql: &str) {
    let error = run(db, sql).await.expect_err(sql).to_string();
    assert!(error.contains(check), "{sql}\nshould break {check}, but: {error}");
}

async fn refused(db: &DatabaseConnection, sql: &str) {
    assert!(run(db, sql).await.is_err(), "accepted: {sql}");
}

fn invoice(numbers: &str) -> String {
    format!(
        "INSERT INTO ar_invoices (org_id, customer_id, invoice_no, issue_date, due_date, total_amount_minor, \
         paid_amount_minor, status) VALUES (1, 1, {numbers})"
    )
}

fn payment(values: &str) -> String {
    format!(
        "INSERT INTO payments (org_id, account_id, transaction_date, direction, amount_minor, status, voided_at) \
         VALUES (1, 1, '2026-01-02', {values})"
    )
}

fn allocation(values: &str) -> String {
    format!(
        "INSERT INTO payment_allocations (org_id, payment_id, ar_invoice_id, ap_bill_id, allocated_amount_minor) \
         VALUES ({values})"
    )
}

/// One event with an address, a personal field and one that is not, and its checkpoint.
async fn recorded(db: &TestDatabase) -> DatabaseConnection {
    let db = furnished(db).await;
    let hash = "0".repeat(64);
    let event = format!(
        "INSERT INTO audit_log (org_id, action, seq, hash, client_ip, before, after, salts, encoding) \
         VALUES (1, 'a', 1, '{hash}', '::1', '{{}}', '{{\"a\":\"1\",\"mail\":\"m\"}}', \
         '{{\"client_ip\":\"01\",\"after.mail\":\"02\"}}', 2)"
    );
    let checkpoint = format!(
        "INSERT INTO audit_checkpoints (chain_id, seq, hash, signed_at, key_id, signature) \
         VALUES (1, 1, '{hash}', '2026-01-01 00:00:00.000000', 'k', 's')"
    );
    for sql in [event, checkpoint] {
        run(&db, &sql).await.unwrap();
    }
    db
}

/// What an erasure may change.
async fn content(db: &DatabaseConnection) -> Vec<String> {
    let columns =
        ["client_ip", "CAST(before AS text)", "CAST(after AS text)", "CAST(salts AS text)", "CAST(erased AS text)"];
    let columns = columns.map(|column| format!("COALESCE({column}, '-')")).join(" || ");
    texts(db, &format!("SELECT {columns} FROM audit_log")).await
}

on_both_databases! {
    async fn an_invoice_cannot_be_overpaid_negative_or_in_a_state_that_does_not_fit_its_amounts(db: TestDatabase) {
        let db = &furnished(&db).await;
        let dates = "'2026-01-01', '2026-01-31'";
        for good in ["10, 0, 'draft'", "10, 0, 'cancelled'", "10, 4, 'partial'", "10, 10, 'paid'"] {
            run(db, &invoice(&format!("'{}', {dates}, {good}", good.len()))).await.unwrap();
            run(db, "DELETE FROM ar_invoices WHERE invoice_no <> 'I1'").await.unwrap();
        }
        for (check, bad) in [
            ("ck_ar_invoices_amounts", "10, 11, 'paid'"),
            ("ck_ar_invoices_amounts", "10, -1, 'partial'"),
            ("ck_ar_invoices_total_amount", "0, 0, 'draft'"),
            ("ck_ar_invoices_status", "10, 0, 'partial'"),
            ("ck_ar_invoices_status", "10, 10, 'partial'"),
            ("ck_ar_invoices_status", "10, 9, 'paid'"),
            ("ck_ar_invoices_status", "10, 1, 'draft'"),
            ("ck_ar_invoices_status", "10, 0, 'overdue'"),
        ] {
            refused_by(db, check, &invoice(&format!("'X', {dates}, {bad}"))).await;
        }
        refused(db, &invoice(&format!("'X', {dates}, -10, 0, 'draft'"))).await;
        refused_by(db, "ck_ar_invoices_due_date", &invoice("'X', '2026-01-02', '2026-01-01', 10, 0, 'draft'")).await;
        refused_by(db, "ck_ar_invoices_amounts", "UPDATE ar_invoices SET paid_amount_minor = 1001").await;
        refused(db, "UPDATE ar_invoices SET paid_amount_minor = 9223372036854775807 + paid_amount_minor + 1").await;
        refused(db, "UPDATE accounts SET opening_balance_minor = 9223372036854775807 + id").await;
    }

    async fn numbers_are_unique_in_an_organization_and_a_cancelled_bill_gives_its_number_back(db: TestDatabase) {
        let db = &furnished(&db).await;
        let bill = |org: u8, status: &str| {
            format!(
                "INSERT INTO ap_bills (org_id, bill_no, supplier_id, issue_date, due_date, total_amount_minor, status) \
                 VALUES ({org}, 'B1', {org}, '2026-01-01', '2026-01-31', 10, '{status}')"
            )
        };
        refused(db, &bill(1, "draft")).await;
        run(db, &bill(1, "cancelled")).await.unwrap();
        run(db, &bill(2, "draft")).await.unwrap();
        run(db, "UPDATE ap_bills SET status = 'cancelled' WHERE id = 1").await.unwrap();
        run(db, &bill(1, "draft")).await.unwrap();
        refused(db, &invoice("'I1', '2026-01-01', '2026-01-31', 10, 0, 'draft'")).await;
    }

    async fn a_payment_is_positive_and_void_exactly_when_it_says_when(db: TestDatabase) {
        let db = &furnished(&db).await;
        run(db, &payment("'out', 1, 'void', '2026-01-03 00:00:00.000000'")).await.unwrap();
        for (check, bad) in [
            ("ck_payments_amount", "'in', 0, 'posted', NULL"),
            ("ck_payments_amount", "'in', -5, 'posted', NULL"),
            ("ck_payments_direction", "'up', 5, 'posted', NULL"),
            ("ck_payments_status", "'in', 5, 'draft', NULL"),
            ("ck_payments_voided", "'in', 5, 'void', NULL"),
            ("ck_payments_voided", "'in', 5, 'posted', '2026-01-03 00:00:00.000000'"),
        ] {
            refused_by(db, check, &payment(bad)).await;
        }
        let word = "UPDATE payments SET reconciliation_status = 'maybe'";
        refused_by(db, "ck_payments_reconciliation_status", word).await;
    }

    async fn an_allocation_has_exactly_one_target_and_a_positive_amount(db: TestDatabase) {
        let db = &furnished(&db).await;
        run(db, &allocation("1, 1, 1, NULL, 5")).await.unwrap();
        run(db, &allocation("1, 1, NULL, 1, 5")).await.unwrap();
        refused_by(db, "check_allocation_target_exclusive", &allocation("1, 1, 1, 1, 5")).await;
        refused_by(db, "check_allocation_target_exclusive", &allocation("1, 1, NULL, NULL, 5")).await;
        refused_by(db, "ck_payment_allocations_allocated_amount", &allocation("1, 1, 1, NULL, 0")).await;
    }

    async fn no_row_can_refer_to_another_organization(db: TestDatabase) {
        let db = &furnished(&db).await;
        let stolen = [
            "INSERT INTO ar_invoices (org_id, invoice_no, customer_id, issue_date, due_date, total_amount_minor) \
                VALUES (1, 'X', 2, '2026-01-01', '2026-01-31', 10)",
            "INSERT INTO ap_bills (org_id, bill_no, supplier_id, issue_date, due_date, total_amount_minor) \
                VALUES (1, 'X', 2, '2026-01-01', '2026-01-31', 10)",
            "INSERT INTO payments (org_id, account_id, direction, transaction_date, amount_minor) \
                VALUES (1, 2, 'in', '2026-01-02', 5)",
        ];
        for sql in stolen {
            refused(db, sql).await;
            run(db, &sql.replace(", 2, '", ", 1, '")).await.unwrap();
        }
        for values in ["2, 1, 1, NULL, 5", "2, 1, NULL, 1, 5"] {
            refused(db, &allocation(values)).await;
        }
        refused(db, "UPDATE ar_invoices SET org_id = 2").await;
    }

    async fn an_email_is_in_lower_case_and_unique_over_all_organizations(db: TestDatabase) {
        let db = &furnished(&db).await;
        let user = |email: &str| {
            format!("INSERT INTO users (org_id, email, password_hash) VALUES (2, '{email}', 'x')")
        };
        refused_by(db, "ck_users_email", &user("B@two.test")).await;
        refused(db, &user("a@one.test")).await;
        // Only A to Z are folded, on both.
        run(db, &user("É@two.test")).await.unwrap();
    }

    async fn a_word_that_is_no_status_is_refused_everywhere(db: TestDatabase) {
        let db = &furnished(&db).await;
        for table in ["organizations", "users", "customers", "suppliers", "accounts"] {
            let sql = format!("UPDATE {table} SET status = 'suspended'");
            refused_by(db, &format!("ck_{table}_status"), &sql).await;
        }
        refused_by(db, "ck_accounts_type", "UPDATE accounts SET type = 'crypto'").await;
        refused_by(db, "ck_accounts_account_type", "UPDATE accounts SET account_type = 'other'").await;
        refused_by(db, "ck_customers_credit_term", "UPDATE customers SET credit_term = 366").await;
        refused_by(db, "ck_suppliers_payment_term", "UPDATE suppliers SET payment_term = -1").await;
        let alert = |word: &str| format!("INSERT INTO alerts (org_id, kind, severity) VALUES (1, 'k', '{word}')");
        run(db, &alert("critical")).await.unwrap();
        refused_by(db, "ck_alerts_severity", &alert("fatal")).await;
        refused_by(db, "ck_alerts_status", "UPDATE alerts SET status = 'open'").await;
        let job = |values: &str| {
            format!(
                "INSERT INTO export_jobs (org_id, job_id, job_type, status) \
                 VALUES (1, '4a1f6f0e-0a5c-4f0e-9b39-1f6d1f0a7c11', {values})"
            )
        };
        refused_by(db, "ck_export_jobs_file_url", &job("'cashflow', 'completed'")).await;
        refused_by(db, "ck_export_jobs_job_type", &job("'payroll', 'pending'")).await;
        run(db, &job("'cashflow', 'pending'")).await.unwrap();
        assert_eq!(texts(db, "SELECT CAST(job_metadata AS text) FROM export_jobs").await, ["{}"]);
    }

    async fn values_that_do_not_fit_their_type_are_refused(db: TestDatabase) {
        let db = &furnished(&db).await;
        let long = "x".repeat(256);
        for sql in [
            format!("UPDATE organizations SET name = '{long}'"),
            "UPDATE accounts SET opening_balance_minor = 'much'".to_owned(),
            "UPDATE customers SET credit_term = 'soon'".to_owned(),
            "UPDATE ar_invoices SET due_date = '2026-02-30'".to_owned(),
            "UPDATE ar_invoices SET due_date = 'later'".to_owned(),
            "UPDATE users SET last_login_at = '2026-02-30 00:00:00.000000'".to_owned(),
            "UPDATE users SET last_login_at = '2026-02-20 25:00:00.000000'".to_owned(),
            "INSERT INTO settings (org_id, key, value_json) VALUES (1, 'ai', '{not json')".to_owned(),
            "INSERT INTO export_jobs (org_id, job_id, job_type) VALUES (1, 'one', 'cashflow')".to_owned(),
            "INSERT INTO audit_heads (chain_id, seq, hash) VALUES (0, 1, 'short')".to_owned(),
        ] {
            refused(db, &sql).await;
        }
        // Characters count, not bytes.
        run(db, &format!("UPDATE organizations SET name = '{}'", "é".repeat(255))).await.unwrap();
    }

    async fn what_others_refer_to_cannot_be_deleted_but_a_user_takes_links_and_sessions_along(db: TestDatabase) {
        let db = &furnished(&db).await;
        refused(db, "DELETE FROM organizations WHERE id = 2").await;
        refused(db, "DELETE FROM customers WHERE id = 1").await;
        run(db, "INSERT INTO user_roles (user_id, org_id, role_id) VALUES (2, 2, 1)").await.unwrap();
        run(
            db,
            "INSERT INTO sessions (id, user_id, org_id, expires_at) \
             VALUES ('4a1f6f0e-0a5c-4f0e-9b39-1f6d1f0a7c11', 2, 2, '2030-01-01 00:00:00.000000')",
        )
        .await
        .unwrap();
        refused(db, "DELETE FROM roles WHERE id = 1").await;
        run(db, "DELETE FROM users WHERE id = 2").await.unwrap();
        assert!(texts(db, "SELECT CAST(id AS text) FROM sessions").await.is_empty());
        assert!(texts(db, "SELECT CAST(role_id AS text) FROM user_roles").await.is_empty());
    }

    async fn the_audit_trail_has_one_event_per_number_in_each_organization(db: TestDatabase) {
        let db = &furnished(&db).await;
        let hash = "0".repeat(64);
        let event = |org: &str| format!("INSERT INTO audit_log (org_id, action, seq, hash) VALUES ({org}, 'a', 1, '{hash}')");
        run(db, &event("1")).await.unwrap();
        run(db, &event("2")).await.unwrap();
        run(db, &event("NULL")).await.unwrap();
        refused(db, &event("1")).await;
    }

    async fn what_was_recorded_can_neither_be_changed_nor_removed(db: TestDatabase) {
        let engine = db.engine();
        let db = &recorded(&db).await;
        for column in ["id", "org_id", "seq", "entity_id", "encoding", "actor_user_id"] {
            refused_by(db, "append-only", &format!("UPDATE audit_log SET {column} = 2")).await;
        }
        for column in ["action", "entity", "prev_hash", "hash", "request_id", "created_at"] {
            refused_by(db, "append-only", &format!("UPDATE audit_log SET {column} = {column}")).await;
        }
        refused_by(db, "append-only", "DELETE FROM audit_log").await;
        refused_by(db, "append-only", "UPDATE audit_checkpoints SET seq = 2").await;
        refused_by(db, "append-only", "DELETE FROM audit_checkpoints").await;
        if engine == Engine::Postgres {
            refused_by(db, "append-only", "TRUNCATE audit_log").await;
            refused_by(db, "append-only", "TRUNCATE audit_checkpoints").await;
            let again = "INSERT INTO audit_checkpoints SELECT 9, 1, 1, hash, signed_at, 'k', 's' FROM audit_checkpoints";
            refused(db, again).await;
        }
    }

    async fn only_an_erasure_changes_the_content_of_an_event(db: TestDatabase) {
        let db = &recorded(&db).await;
        let before = content(db).await;
        for set in [
            r#"after = '{"x":"forged"}'"#,
            r#"after = '{"a":"1","mail":"forged"}'"#,
            r#"after = '{"a":"1","mail":"m","more":"2"}'"#,
            r#"before = '{"b":"3"}'"#,
            "before = NULL",
            "before = '[]'",
            "salts = '[]'",
            "client_ip = '::2'",
            "client_ip = NULL",
            "salts = NULL",
            r#"salts = '{"client_ip":"00","after.mail":"02","after.a":"03"}'"#,
            r#"erased = '{"client_ip":"0a"}'"#,
            "erased = '[1]'",
            // The address goes, but its salt stays, or another one goes with it, or another commitment comes.
            r#"client_ip = NULL, erased = '{"client_ip":"0a"}'"#,
            r#"client_ip = NULL, salts = NULL, erased = '{"client_ip":"0a"}'"#,
            r#"client_ip = NULL, salts = '{"after.mail":"02"}', erased = '{"after.mail":"0a"}'"#,
            r#"client_ip = '::2', salts = '{"after.mail":"02"}', erased = '{"client_ip":"0a"}'"#,
            // A field that is not personal goes along, or changes on the way.
            r#"after = '{}', salts = '{"client_ip":"01"}', erased = '{"after.mail":"0b"}'"#,
            r#"after = '{}', salts = '{"client_ip":"01"}', erased = '{"after.mail":"0b","after.a":"0c"}'"#,
            r#"after = '{"a":"9"}', salts = '{"client_ip":"01"}', erased = '{"after.mail":"0b"}'"#,
            r#"after = NULL, salts = '{"client_ip":"01"}', erased = '{"after.mail":"0b"}'"#,
        ] {
            refused(db, &format!("UPDATE audit_log SET {set}")).await;
            assert_eq!(content(db).await, before, "{set}");
        }
        refused_by(db, "append-only", r#"UPDATE audit_log SET after = '{"x":"forged"}'"#).await;
        let address = r#"client_ip = NULL, salts = '{"after.mail":"02"}', erased = '{"client_ip":"0a"}'"#;
        run(db, &format!("UPDATE audit_log SET {address}")).await.unwrap();
        // Neither does what was erased come back, nor does its commitment change or go.
        for set in [
            "client_ip = '::1'",
            "erased = NULL",
            r#"erased = '{"client_ip":"0b"}'"#,
            r#"after = '{"a":"1"}', salts = NULL, erased = '{"after.mail":"0b"}'"#,
            r#"salts = '{"client_ip":"01","after.mail":"02"}'"#,
        ] {
            refused_by(db, "append-only", &format!("UPDATE audit_log SET {set}")).await;
        }
        let rest = r#"after = '{"a":"1"}', salts = NULL, erased = '{"after.mail":"0b","client_ip":"0a"}'"#;
        run(db, &format!("UPDATE audit_log SET {rest}")).await.unwrap();
    }

    async fn a_row_of_the_trail_cannot_be_replaced_by_an_insertion(db: TestDatabase) {
        let engine = db.engine();
        let db = &recorded(&db).await;
        if engine == Engine::Postgres {
            let upsert = "INSERT INTO audit_log (org_id, action, seq, hash) SELECT org_id, 'b', seq, hash FROM audit_log \
                ON CONFLICT (org_id, seq) DO UPDATE SET action = 'b'";
            refused_by(db, "append-only", upsert).await;
            return;
        }
        for (id, org, seq) in [("id", "org_id", "seq"), ("id", "2", "7"), ("9", "org_id", "seq")] {
            for insert in ["INSERT OR REPLACE", "INSERT"] {
                let values = format!("SELECT {id}, {org}, 'b', {seq}, hash FROM audit_log");
                let sql = format!("{insert} INTO audit_log (id, org_id, action, seq, hash) {values}");
                refused_by(db, "append-only", &sql).await;
            }
        }
        let before = texts(db, "SELECT signature FROM audit_checkpoints").await;
        for (id, seq) in [("id", "seq"), ("id", "7"), ("9", "seq")] {
            let values = format!("SELECT {id}, chain_id, {seq}, hash, signed_at, 'k', 'other' FROM audit_checkpoints");
            run(db, &format!("INSERT OR REPLACE INTO audit_checkpoints {values}")).await.unwrap();
            assert_eq!(texts(db, "SELECT signature FROM audit_checkpoints").await, before, "passed over");
        }
    }

    async fn ids_are_never_used_again(db: TestDatabase) {
        let db = &furnished(&db).await;
        run(db, "DELETE FROM customers WHERE id = 2").await.unwrap();
        run(db, "INSERT INTO customers (org_id, name) VALUES (2, 'C3')").await.unwrap();
        assert_eq!(texts(db, "SELECT CAST(max(id) AS text) FROM customers").await, ["3"]);
    }

    async fn a_default_time_has_the_form_in_which_times_are_bound(db: TestDatabase) {
        let engine = db.engine();
        let db = &furnished(&db).await;
        if engine == Engine::Sqlite {
            let times = texts(db, "SELECT created_at FROM users").await;
            assert!(times.iter().all(|time| time.len() == 26 && time.ends_with("000")), "{times:?}");
            for other in ["2026-02-20 10:00:00", "2026-02-20T10:00:00.000000", "2026-02-20 10:00:00.000000+00:00"] {
                let sql = format!("UPDATE users SET last_login_at = '{other}'");
                refused_by(db, "ck_users_last_login_at_form", &sql).await;
            }
        }
        run(db, "UPDATE users SET last_login_at = '2026-02-20 10:00:00.000001'").await.unwrap();
    }
}
