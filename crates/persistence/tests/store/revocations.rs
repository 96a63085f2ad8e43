//! The list of revocations: what fills it, in which order it is seen, and how it is tidied.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use sme_pulse_domain::ids::{OrgId, SessionId, UserId};
use sme_pulse_persistence::{RevocationRow, RevokedRow};
use sme_pulse_testing::{on_both_databases, on_postgres};
use uuid::Uuid;

use crate::support::{TestStore, now};

const SESSION: SessionId = SessionId::new(Uuid::from_u128(7));

/// User 1 of organization 1, who also belongs to 2, is an owner in both and has a session in 2.
async fn furnish(test: &TestStore) {
    let [orgs, users, roles, held, members, sessions] = [
        ("core", "organizations"),
        ("core", "users"),
        ("core", "roles"),
        ("core", "user_roles"),
        ("auth", "memberships"),
        ("auth", "sessions"),
    ]
    .map(|(schema, name)| test.table(schema, name));
    for sql in [
        format!("INSERT INTO {orgs} (name) VALUES ('One'), ('Two')"),
        format!("INSERT INTO {roles} (code, name) VALUES ('owner', 'Owner'), ('cashier', 'Cashier')"),
        format!("INSERT INTO {users} (org_id, email, password_hash) VALUES (1, 'a@example.com', 'x')"),
        format!("INSERT INTO {members} (org_id, user_id) VALUES (2, 1)"),
        format!("INSERT INTO {held} (user_id, org_id, role_id) VALUES (1, 1, 1), (1, 2, 1)"),
        format!(
            "INSERT INTO {sessions} (id, user_id, org_id, expires_at) VALUES \
             ('{}', 1, 2, '2999-01-01 00:00:00.000000'), ('{}', 1, 2, '2001-01-01 00:00:00.000000')",
            SESSION.get(),
            Uuid::from_u128(8)
        ),
    ] {
        test.operator.raw().execute_unprepared(&sql).await.unwrap();
    }
}

async fn run(test: &TestStore, sql: &str) {
    let sql = ["core.", "auth."].iter().fold(sql.to_owned(), |sql, schema| {
        if test.table("core", "users") == "users" { sql.replace(schema, "") } else { sql }
    });
    test.operator.raw().execute_unprepared(&sql).await.unwrap();
}

async fn after(test: &TestStore, known: u64) -> Vec<RevocationRow> {
    test.store.revocations_after(known, now(), 100).await.unwrap()
}

/// What one statement adds to the list.
async fn added(test: &TestStore, sql: &str) -> Vec<(Option<i64>, RevokedRow)> {
    let known = test.store.newest_revocation().await.unwrap();
    run(test, sql).await;
    after(test, known).await.into_iter().map(|row| (row.org.map(OrgId::get), row.what)).collect()
}

on_both_databases! {
    async fn whatever_takes_something_back_is_noted_whoever_does_it(test: TestStore) {
        furnish(&test).await;
        let user = UserId::new(1);
        let in_both = vec![(Some(1), RevokedRow::User(user)), (Some(2), RevokedRow::Member(user))];
        let here = vec![(Some(2), RevokedRow::Member(user))];
        for (sql, expected) in [
            ("UPDATE auth.sessions SET revoked_at = expires_at WHERE user_id = 1 AND expires_at > '2900-01-01'",
                vec![(Some(2), RevokedRow::Session(SESSION))]),
            ("UPDATE auth.sessions SET revoked_at = expires_at, revoke_reason = 'again' WHERE revoked_at IS NOT NULL", vec![]),
            ("UPDATE core.users SET status = 'inactive' WHERE id = 1", in_both.clone()),
            ("UPDATE core.users SET status = 'active' WHERE id = 1", vec![]),
            ("UPDATE auth.memberships SET status = 'inactive'", here.clone()),
            ("UPDATE auth.memberships SET status = 'active'", vec![]),
            ("UPDATE core.user_roles SET role_id = 2 WHERE org_id = 2", here.clone()),
            ("INSERT INTO core.user_roles (user_id, org_id, role_id) VALUES (1, 2, 1)", vec![]),
            ("DELETE FROM core.user_roles WHERE org_id = 2 AND role_id = 1", here.clone()),
            ("UPDATE core.organizations SET status = 'inactive' WHERE id = 2", vec![(Some(2), RevokedRow::Organization)]),
            ("UPDATE core.organizations SET status = 'active' WHERE id = 2", vec![]),
            ("UPDATE core.organizations SET name = 'Other'", vec![]),
            ("UPDATE core.users SET full_name = 'Other'", vec![]),
            ("DELETE FROM auth.memberships", here),
        ] {
            assert_eq!(added(&test, sql).await, expected, "{sql}");
        }
    }

    async fn the_removal_of_a_session_that_ended_by_itself_is_no_news(test: TestStore) {
        furnish(&test).await;
        let sessions = added(&test, "DELETE FROM auth.sessions").await;
        assert_eq!(sessions, [(Some(2), RevokedRow::Session(SESSION))]);
    }

    async fn a_key_concerns_everybody(test: TestStore) {
        let tx = test.store.begin_system().await.unwrap();
        tx.note_key_revoked("key-1").await.unwrap();
        tx.commit().await.unwrap();
        let found = after(&test, 0).await;
        assert_eq!(found, [RevocationRow { seq: 1, org: None, what: RevokedRow::Key("key-1".into()) }]);
    }

    async fn what_is_taken_back_in_vain_leaves_no_trace(test: TestStore) {
        furnish(&test).await;
        let tx = test.operator.raw().begin().await.unwrap();
        let users = test.table("core", "users");
        tx.execute_unprepared(&format!("UPDATE {users} SET status = 'inactive'")).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(after(&test, 0).await, []);
    }

    async fn the_list_is_read_in_parts_and_tidied_but_for_the_newest(test: TestStore) {
        for number in 0..5 {
            let tx = test.store.begin_system().await.unwrap();
            tx.note_key_revoked(&format!("key-{number}")).await.unwrap();
            tx.commit().await.unwrap();
        }
        let part = test.store.revocations_after(1, now(), 2).await.unwrap();
        assert_eq!(part.iter().map(|row| row.seq).collect::<Vec<_>>(), [2, 3]);
        let future = now() + chrono::TimeDelta::days(36_500);
        assert_eq!(test.store.revocations_after(0, future, 9).await.unwrap(), []);
        assert_eq!(test.store.remove_old_revocations(now()).await.unwrap(), 0);
        assert_eq!(test.store.remove_old_revocations(future).await.unwrap(), 4);
        assert_eq!(test.store.newest_revocation().await.unwrap(), 5);
    }
}

/// Numbers are given when a row is written and seen when it is committed; a reader that has seen 2 must not meet 1 later.
#[test]
fn numbers_become_visible_in_their_order() {
    on_postgres(async |test: TestStore| {
        furnish(&test).await;
        // The first waits for its commit with its change made.
        let slow = test.operator.raw().begin().await.unwrap();
        slow.execute_unprepared("UPDATE core.users SET status = 'inactive'").await.unwrap();
        slow.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await.unwrap();
        let store = test.operator.clone();
        let fast = tokio::spawn(async move {
            store
                .raw()
                .execute_unprepared("UPDATE core.organizations SET status = 'inactive' WHERE id = 1")
                .await
                .unwrap();
        });
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
        while test.numbers(waiting).await != [1] {
            tokio::time::timeout(Duration::from_secs(30), tokio::task::yield_now()).await.unwrap();
        }
        assert_eq!(after(&test, 0).await, []);
        slow.commit().await.unwrap();
        fast.await.unwrap();
        let seen: Vec<_> = after(&test, 0).await.into_iter().map(|row| row.what).collect();
        let user = UserId::new(1);
        assert_eq!(seen, [RevokedRow::User(user), RevokedRow::Member(user), RevokedRow::Organization]);
    });
}

/// What serves requests can neither read the list past its functions nor add to it or take from it.
#[test]
fn the_list_itself_is_closed() {
    on_postgres(async |test: TestStore| {
        let tx = test.operator.begin_system().await.unwrap();
        tx.note_key_revoked("key-1").await.unwrap();
        tx.commit().await.unwrap();
        let db = test.store.raw();
        crate::row_security::assert_forbidden(
            db.execute_unprepared("INSERT INTO auth.revocations (kind, kid) VALUES ('key', 'a')").await,
            "an insertion",
        );
        for sql in ["DELETE FROM auth.revocations", "UPDATE auth.revocations SET kid = 'b'"] {
            assert_eq!(db.execute_unprepared(sql).await.unwrap().rows_affected(), 0, "{sql}");
        }
        assert_eq!(crate::row_security::number(db, "SELECT COUNT(*) FROM auth.revocations").await, 0);
    });
}
