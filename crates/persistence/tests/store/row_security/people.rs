//! People, who are seen in several organizations: what may be done to their rows where, and by whom.

use sea_orm::ConnectionTrait;
use sme_pulse_domain::{
    ids::{OrgId, UserId},
    tenant::TenantScope,
};

use super::{assert_forbidden, changed, inside, inside_as, number, sql, with_rows};
use crate::support::now;

#[test]
fn what_belongs_to_a_person_goes_with_them_in_every_organization() {
    with_rows(async |test, _| {
        // User 1 is at home in 1 and belongs to 2, with a session there; a deletion at home reaches it.
        let there = "SELECT (SELECT COUNT(*) FROM auth.memberships WHERE user_id = 1 AND org_id = 2) \
            + (SELECT COUNT(*) FROM auth.sessions WHERE user_id = 1 AND org_id = 2)";
        assert_eq!(number(test.operator.raw(), there).await, 2);
        let tx = inside(test.store.raw(), 1).await;
        assert_eq!(tx.execute_raw(sql("DELETE FROM core.users WHERE id = 1")).await.unwrap().rows_affected(), 1);
        tx.commit().await.unwrap();
        assert_eq!(number(test.operator.raw(), there).await, 0);
    });
}

#[test]
fn people_are_seen_where_they_belong_and_governed_at_home() {
    with_rows(async |test, _| {
        let db = test.store.raw();
        let tx = inside(db, 2).await;
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM core.users WHERE id = 1").await, 1, "a member from elsewhere");
        assert_eq!(
            tx.execute_raw(sql("UPDATE core.users SET full_name = 'x' WHERE id = 1")).await.unwrap().rows_affected(),
            0
        );
        assert_eq!(tx.execute_raw(sql("DELETE FROM core.users WHERE id = 1")).await.unwrap().rows_affected(), 0);
        drop(tx);
        let tx = inside(db, 1).await;
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM auth.sessions WHERE org_id = 2").await, 1, "home governs them");
        drop(tx);
        // Somebody's own sessions and memberships, from another organization than these are for.
        let tx = inside_as(db, 99, Some(1)).await;
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM auth.sessions").await, 2);
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM auth.memberships").await, 1);
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM core.users").await, 1);
    });
}

#[test]
fn a_statement_that_forgot_its_tenant_changes_accounts_of_this_organization_alone() {
    with_rows(async |test, _| {
        let db = test.store.raw();
        for person in [None, Some(1), Some(2)] {
            let tx = inside_as(db, 2, person).await;
            assert_eq!(changed(&tx, "UPDATE core.users SET full_name = 'x'".into()).await, 2, "{person:?}");
            let taken = "UPDATE core.users SET org_id = 2";
            let tx = inside_as(db, 1, person).await;
            assert_forbidden(tx.execute_unprepared(taken).await, taken);
        }
    });
}

#[test]
fn nobody_is_made_a_member_but_by_themselves() {
    with_rows(async |test, _| {
        let db = test.store.raw();
        let hash_of_2 = "SELECT COUNT(*) FROM core.users WHERE id = 2 AND password_hash IS NOT NULL";
        let join = "INSERT INTO auth.memberships (org_id, user_id) VALUES (1, 2) \
            ON CONFLICT (org_id, user_id) DO UPDATE SET status = 'active'";
        for person in [None, Some(1), Some(3)] {
            for planted in [
                join,
                "UPDATE auth.memberships SET user_id = 2",
                "UPDATE auth.memberships SET user_id = 2 WHERE user_id = 3",
                "UPDATE auth.memberships SET org_id = 2",
            ] {
                let tx = inside_as(db, 1, person).await;
                assert_forbidden(tx.execute_unprepared(planted).await, &format!("{planted} as {person:?}"));
            }
            let tx = inside_as(db, 1, person).await;
            assert_eq!(number(&tx, hash_of_2).await, 0);
            let suspended = "UPDATE auth.memberships SET status = 'inactive' WHERE user_id = 3";
            assert_eq!(changed(&tx, suspended.into()).await, 1, "{person:?}");
        }
        let tx = inside_as(db, 1, Some(2)).await;
        for _ in 0..2 {
            assert_eq!(changed(&tx, join.into()).await, 1, "once, and again");
        }
        tx.commit().await.unwrap();
        let tx = inside(db, 1).await;
        assert_eq!(number(&tx, hash_of_2).await, 1);
        assert_eq!(changed(&tx, "DELETE FROM auth.memberships WHERE user_id = 2".into()).await, 1);
    });
}

#[test]
fn a_session_stays_with_its_organization_and_person() {
    with_rows(async |test, _| {
        let db = test.store.raw();
        for person in [None, Some(1), Some(2)] {
            for (org, moved) in [
                (1, "UPDATE auth.sessions SET user_id = 2"),
                (1, "UPDATE auth.sessions SET user_id = 3 WHERE user_id = 1"),
                (1, "UPDATE auth.sessions SET org_id = 2 WHERE user_id = 1"),
                (2, "UPDATE auth.sessions SET org_id = 1 WHERE user_id = 2"),
                (2, "UPDATE auth.sessions SET user_id = 2 WHERE user_id = 1"),
                (2, "UPDATE auth.sessions SET id = '00000000-0000-0000-0000-000000000009' WHERE user_id = 2"),
            ] {
                let tx = inside_as(db, org, person).await;
                assert_forbidden(tx.execute_unprepared(moved).await, &format!("{moved} as {person:?}"));
            }
        }
        let tx = inside(db, 1).await;
        assert_eq!(changed(&tx, "UPDATE auth.sessions SET revoked_at = now() WHERE user_id = 1".into()).await, 2);
    });
}

#[test]
fn no_other_organization_puts_a_second_factor_before_somebodys_log_in() {
    with_rows(async |test, _| {
        let db = test.store.raw();
        for person in [None, Some(1), Some(3)] {
            for planted in [
                "INSERT INTO auth.mfa_factors (org_id, user_id, secret) VALUES (1, 3, 's')",
                "UPDATE auth.mfa_factors SET user_id = 3",
                "INSERT INTO auth.mfa_factors (org_id, user_id, secret) VALUES (2, 1, 's')",
                "UPDATE auth.mfa_factors SET org_id = 2",
                "INSERT INTO auth.given_passwords (org_id, user_id) VALUES (1, 3)",
                "INSERT INTO auth.mfa_recovery_codes (org_id, user_id, code_hash) VALUES (1, 3, repeat('9', 64))",
                "INSERT INTO auth.mfa_challenges (org_id, user_id, token_hash, expires_at, attempts) \
                    VALUES (1, 3, repeat('9', 64), now(), 0)",
            ] {
                let tx = inside_as(db, 1, person).await;
                assert_forbidden(tx.execute_unprepared(planted).await, &format!("{planted} as {person:?}"));
            }
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const fn scope(org: i64, actor: Option<i64>) -> TenantScope {
    let actor = match actor {
        Some(actor) => Some(UserId::new(actor)),
        None => None,
    };
    TenantScope::assume_verified(OrgId::new(org), actor)
}

#[test]
fn whoever_acted_before_does_not_act_where_a_transaction_goes_on() {
    with_rows(async |test, _| {
        let live = "UPDATE auth.sessions SET expires_at = '2100-01-01'";
        test.operator.raw().execute_unprepared(live).await.unwrap();
        let tx = test.store.begin(scope(99, Some(1))).await.unwrap();
        assert_eq!(tx.sessions().live_of(UserId::new(1), now()).await.unwrap().len(), 2);
        let tx = tx.go_on_in(scope(99, None)).await.unwrap();
        assert_eq!(tx.sessions().live_of(UserId::new(1), now()).await.unwrap().len(), 0);
        let tx = tx.go_on_in(scope(99, Some(2))).await.unwrap();
        assert_eq!(tx.sessions().live_of(UserId::new(1), now()).await.unwrap().len(), 0);
    });
}

#[test]
fn one_call_does_not_remove_everything_that_could_expire() {
    with_rows(async |test, _| {
        let db = test.store.raw();
        let forever = "SELECT auth.remove_expired('sessions', 'infinity', 10)";
        let refused = db.execute_unprepared(forever).await.unwrap_err();
        assert!(refused.to_string().contains("not everything has expired"), "{refused}");
        let many = "INSERT INTO auth.sessions (id, user_id, org_id, expires_at) \
            SELECT gen_random_uuid(), 2, 2, now() FROM generate_series(1, 1100)";
        test.operator.raw().execute_unprepared(many).await.unwrap();
        for at_most in ["100000", "NULL"] {
            let call = format!("SELECT auth.remove_expired('sessions', now() + interval '1 day', {at_most})");
            let before = number(test.operator.raw(), "SELECT COUNT(*) FROM auth.sessions").await;
            assert_eq!(number(db, call).await, before.min(1000));
        }
    });
}
