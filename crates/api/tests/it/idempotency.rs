//! `Idempotency-Key`: a request that is sent twice is done once, and whoever asks again learns what came of it.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, HASH, Member, TestApp};

const CUSTOMERS: &str = "/api/v1/customers";
const USED: &str = "This Idempotency-Key was used for another request.";
const RUNNING: &str = "The first request with this Idempotency-Key is still running.";

async fn post(member: &Member<'_>, path: &str, key: &str, body: &Value) -> Answer {
    TestApp::send(member.request("POST", path).header("idempotency-key", key).json(body)).await
}

/// Status, text, and whether it is said to be an answer given before.
fn seen(answer: &Answer) -> (u16, &str, Option<&str>) {
    (answer.status, &answer.text, answer.header("idempotent-replayed"))
}

async fn customers(app: &TestApp, org: i64) -> i64 {
    app.numbers(&format!("SELECT COUNT(*) FROM finance.customers WHERE org_id = {org}")).await[0]
}

on_both_databases! {
    async fn the_same_request_gets_its_first_answer_again(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let account = json!({"name": "A", "type": "cash", "opening_balance": "1.10"});
        for (path, body) in [(CUSTOMERS, json!({"name": "A", "code": "C"})), ("/api/v1/suppliers", json!({"name": "A"})), ("/api/v1/accounts", account)] {
            let first = post(&member, path, path, &body).await;
            assert_eq!((first.status, first.header("idempotent-replayed")), (201, None), "{}", first.text);
            app.clock.advance(Duration::from_mins(1));
            for path_again in [path.to_owned(), format!("{path}/"), format!("{path}?x=1")] {
                let again = post(&member, &path_again, path, &body).await;
                assert_eq!(seen(&again), (201, first.text.as_str(), Some("true")));
                assert_eq!(again.one("content-type"), first.one("content-type"));
                assert_ne!(again.one("x-request-id"), first.one("x-request-id"));
            }
        }
        assert_eq!(customers(&app, member.org).await, 1);
        let events = format!("SELECT COUNT(*) FROM auth.audit_log WHERE org_id = {} AND action = 'customers.created'", member.org);
        assert_eq!(app.numbers(&events).await, [1]);
    }

    async fn another_body_or_path_under_a_used_key_is_a_conflict(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        assert_eq!(post(&member, CUSTOMERS, "k", &json!({"name": "A"})).await.status, 201);
        post(&member, CUSTOMERS, "k", &json!({"name": "B"})).await.assert_envelope(409, USED, USED, "idempotency_conflict");
        post(&member, "/api/v1/suppliers", "k", &json!({"name": "A"})).await.assert_envelope(409, USED, USED, "idempotency_conflict");
        assert_eq!(customers(&app, member.org).await, 1);
        assert_eq!(post(&member, CUSTOMERS, "K", &json!({"name": "B"})).await.status, 201, "letter case counts");
    }

    async fn parallel_double_sends_make_one_row(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for round in 1..=5 {
            let (key, body) = (format!("double-{round}"), json!({"name": "Twice"}));
            let answers = join_all([0; 6].map(|_| post(&member, CUSTOMERS, &key, &body))).await;
            assert_eq!(customers(&app, member.org).await, round);
            let made: BTreeSet<_> = answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.text.clone()).collect();
            assert_eq!(made.len(), 1);
            for answer in answers.iter().filter(|answer| answer.status != 201) {
                answer.assert_envelope(409, RUNNING, RUNNING, "idempotency_conflict");
            }
            let first = answers.iter().filter(|answer| answer.status == 201 && answer.header("idempotent-replayed").is_none());
            assert_eq!(first.count(), 1);
        }
    }

    async fn a_refusal_by_a_rule_is_kept_and_a_wrong_input_is_not(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let made = member.post_json(CUSTOMERS, &json!({"name": "A", "code": "X"})).await.json();
        let body = json!({"name": "B", "code": "X"});
        let taken = "A customer with this code already exists.";
        let first = post(&member, CUSTOMERS, "dup", &body).await;
        first.assert_envelope(400, taken, taken, "duplicate");
        assert_eq!(first.header("idempotent-replayed"), None);
        member.put(&format!("{CUSTOMERS}/{}", made["id"]), &json!({"code": null})).await;
        let again = post(&member, CUSTOMERS, "dup", &body).await;
        again.assert_envelope(400, taken, taken, "duplicate");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(post(&member, CUSTOMERS, "mend", &json!({"name": ""})).await.status, 422);
        assert_eq!(post(&member, CUSTOMERS, "mend", &json!({"name": "B"})).await.status, 201);
    }

    async fn a_key_is_of_one_user_in_one_organization(app: TestApp) {
        let (one, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        app.insert_user(one.org, "second@example.com", HASH).await;
        app.sql("INSERT INTO core.user_roles (user_id, org_id, role_id) SELECT u.id, u.org_id, r.id FROM core.users u CROSS JOIN core.roles r WHERE u.email = 'second@example.com' AND r.code = 'owner'").await;
        let second = app.sign_in("second@example.com").await;
        let mut ids = BTreeSet::new();
        for member in [&one, &other, &second] {
            let answer = post(member, CUSTOMERS, "same", &json!({"name": "A"})).await;
            assert_eq!((answer.status, answer.header("idempotent-replayed")), (201, None));
            ids.insert(answer.json()["id"].as_i64().unwrap());
        }
        assert_eq!(ids.len(), 3);
    }

    async fn an_answer_is_kept_for_a_day_and_then_swept(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let body = json!({"name": "A"});
        let first = post(&member, CUSTOMERS, "day", &body).await;
        // A token does not live that long.
        app.clock.advance(Duration::from_secs(24 * 3600 - 1));
        let member = app.sign_in(&member.email).await;
        assert_eq!(seen(&post(&member, CUSTOMERS, "day", &body).await), (201, first.text.as_str(), Some("true")));
        app.clock.advance(Duration::from_secs(1));
        let anew = post(&member, CUSTOMERS, "day", &json!({"name": "B"})).await;
        assert_eq!((anew.status, anew.header("idempotent-replayed")), (201, None));
        assert_eq!(customers(&app, member.org).await, 2);
        app.clock.advance(Duration::from_secs(24 * 3600 + 1));
        app.store.remove_expired(sme_pulse_domain::clock::Clock::now(&*app.clock)).await.unwrap();
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.idempotency_keys").await, [0]);
    }

    async fn an_unreadable_key_is_refused_after_caller_and_input(app: TestApp) {
        let (owner, cashier) = (app.member(&[Role::Owner]).await, app.member(&[Role::Cashier]).await);
        let text = "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters.";
        let body = json!({"name": "A"});
        let longest = "~".repeat(255);
        for key in ["", "a b", "a\tb", "é", &"x".repeat(256)] {
            post(&owner, CUSTOMERS, key, &body).await.assert_envelope(400, text, text, "rule_violated");
            assert_eq!(post(&cashier, CUSTOMERS, key, &body).await.status, 403, "{key}");
            assert_eq!(post(&owner, CUSTOMERS, key, &json!({})).await.status, 422, "{key}");
        }
        let twice = owner.request("POST", CUSTOMERS).header("idempotency-key", "a").header("idempotency-key", "a").json(&body);
        TestApp::send(twice).await.assert_envelope(400, text, text, "rule_violated");
        assert_eq!(customers(&app, owner.org).await, 0);
        assert_eq!(post(&owner, CUSTOMERS, &longest, &body).await.status, 201);
        assert_eq!(seen(&post(&owner, CUSTOMERS, &longest, &body).await).2, Some("true"));
        assert_eq!(post(&owner, CUSTOMERS, "'; DROP TABLE x;--\"".replace(' ', "_").as_str(), &body).await.status, 201);
    }

    async fn what_another_process_left_unanswered_does_not_block_for_ever(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let now = chrono_text(&app);
        app.sql(&format!(
            "INSERT INTO auth.idempotency_keys (org_id, user_id, key, method, path, request_hash, expires_at, created_at) \
             VALUES ({}, {}, 'left', 'POST', '/api/v1/customers', '5fb70f3e98bcd36f5321d2fc5e93cf94dffc6ed5a40a7a4d2f7ea5a3f6d1fc54', '2999-01-01 00:00:00.000000', '{now}')",
            member.org, member.user
        )).await;
        assert_eq!(post(&member, CUSTOMERS, "left", &json!({"name": "A"})).await.status, 409);
        app.clock.advance(Duration::from_secs(61));
        assert_eq!(post(&member, CUSTOMERS, "left", &json!({"name": "A"})).await.status, 201);
        assert_eq!(customers(&app, member.org).await, 1);
    }

    async fn a_write_that_fails_keeps_neither_row_nor_answer(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        // The audit trail refuses, which is the last thing a write does.
        app.sql("ALTER TABLE auth.audit_heads RENAME TO audit_heads_away").await;
        assert_eq!(post(&member, CUSTOMERS, "fails", &json!({"name": "A"})).await.status, 500);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.idempotency_keys").await, [0]);
        assert_eq!(customers(&app, member.org).await, 0);
        app.sql(if app.engine() == sme_pulse_testing::Engine::Postgres { "ALTER TABLE auth.audit_heads_away RENAME TO audit_heads" } else { "ALTER TABLE audit_heads_away RENAME TO audit_heads" }).await;
        let again = post(&member, CUSTOMERS, "fails", &json!({"name": "A"})).await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, None));
    }
}

/// The present as both engines store it.
fn chrono_text(app: &TestApp) -> String {
    sme_pulse_domain::clock::Clock::now(&*app.clock).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
