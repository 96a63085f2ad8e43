//! What happens beside the requests: when sessions were last used, and the end of what has expired.

use std::time::Duration;

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, HASH, Member, TestApp, claims};

const ALL: &str = "/api/v1/auth/logout-all";
const DAY: Duration = Duration::from_hours(24);

async fn last_seen(app: &TestApp, member: &Member<'_>) -> i64 {
    let sid = claims(&member.token)["sid"].as_str().unwrap().to_owned();
    app.numbers(&format!("SELECT {} FROM auth.sessions WHERE id = '{sid}'", app.epoch("last_seen_at"))).await[0]
}

async fn log_out_all(member: &Member<'_>, body: &Value) -> Answer {
    TestApp::send(member.request("POST", ALL).json(body)).await
}

on_both_databases! {
    async fn use_is_noted_at_most_once_a_minute_and_never_by_the_request(app: TestApp) {
        let (busy, quiet) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let start = last_seen(&app, &busy).await;
        app.clock.advance(Duration::from_secs(59));
        assert_eq!(busy.get("/auth/me").await.status, 200);
        app.auth.write_last_seen().await.unwrap();
        assert_eq!(last_seen(&app, &busy).await, start, "it was written less than a minute ago");
        app.clock.advance(Duration::from_secs(31));
        assert_eq!(busy.get("/auth/me").await.status, 200);
        assert_eq!(last_seen(&app, &busy).await, start, "the request itself writes nothing");
        app.clock.advance(Duration::from_secs(5));
        app.auth.write_last_seen().await.unwrap();
        assert_eq!((last_seen(&app, &busy).await, last_seen(&app, &quiet).await), (start + 90, start));
        let shown = busy.get("/auth/sessions").await.json();
        assert_eq!(shown[0]["last_seen_at"], json!("2025-11-20T08:17:00.123456Z"));
        assert_eq!(quiet.get("/auth/me").await.status, 200);
        assert_eq!(TestApp::send(app.request("GET", "/auth/me").bearer_auth("x")).await.status, 401);
        app.sql(&format!("DELETE FROM auth.sessions WHERE user_id = {}", quiet.user)).await;
        app.auth.write_last_seen().await.unwrap();
        app.auth.write_last_seen().await.unwrap();
    }

    async fn nothing_is_written_when_nobody_came(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        app.clock.advance(Duration::from_mins(2));
        app.auth.write_last_seen().await.unwrap();
        assert_eq!(member.get("/auth/me").await.status, 200);
        let reads = app.store.principal_reads();
        app.auth.remove_expired().await.unwrap();
        assert_eq!(member.get("/auth/me").await.status, 200);
        assert_eq!(app.store.principal_reads(), reads, "what is remembered stays so");
    }

    async fn expired_rows_go_after_their_time_and_no_others(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let insert = |number: i64| format!(
            "INSERT INTO auth.password_reset_tokens (user_id, token_hash, expires_at) \
             SELECT user_id, '{number:064}', expires_at FROM auth.sessions WHERE user_id = {}",
            member.user
        );
        app.sql(&insert(1)).await;
        app.sql(&format!(
            "INSERT INTO auth.idempotency_keys (org_id, user_id, key, method, path, request_hash, expires_at) \
             SELECT org_id, user_id, 'k', 'POST', '/', '{:064}', expires_at FROM auth.sessions WHERE user_id = {}",
            0, member.user
        ))
        .await;
        let left = async || {
            let mut counts = Vec::new();
            for table in ["sessions", "password_reset_tokens", "idempotency_keys"] {
                let count = format!("SELECT COUNT(*) FROM auth.{table} WHERE user_id = {}", member.user);
                counts.push(app.numbers(&count).await[0]);
            }
            counts
        };
        let at_end = [(14, [1, 1, 1]), (15, [1, 1, 0]), (16, [1, 0, 0]), (44, [1, 0, 0]), (45, [0, 0, 0])];
        let mut today = 0;
        for (day, expected) in at_end {
            app.clock.advance((day - today) * DAY);
            today = day;
            app.auth.remove_expired().await.unwrap();
            assert_eq!(left().await, expected, "day {day}");
        }
        assert_eq!(app.refresh(&member.refresh_token).await.status, 401);
    }

    async fn a_great_many_expired_rows_go_in_one_call(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for block in 0..3 {
            let rows: Vec<String> = (0..400)
                .map(|number| format!("({}, '{:064}', '2020-01-01 00:00:00.000000')", member.user, block * 1000 + number))
                .collect();
            app.sql(&format!(
                "INSERT INTO auth.password_reset_tokens (user_id, token_hash, expires_at) VALUES {}",
                rows.join(", ")
            ))
            .await;
        }
        assert_eq!(app.auth.remove_expired().await.unwrap(), Some(1_200));
        assert_eq!(app.auth.remove_expired().await.unwrap(), Some(0));
        assert_eq!(member.get("/auth/me").await.status, 200);
    }

    async fn logging_out_everywhere_ends_the_others_or_all(app: TestApp) {
        let here = app.member(&[Role::Cashier]).await;
        let (there, elsewhere) = (app.sign_in(&here.email).await, app.sign_in(&here.email).await);
        app.insert_user(here.org, "colleague@example.com", HASH).await;
        let colleague = app.sign_in("colleague@example.com").await;
        for wrong in [json!({"include_current": null}), json!({"include_current": "true"}), json!({"include_current": 1})] {
            let answer = log_out_all(&here, &wrong).await;
            assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["body", "include_current"])));
        }
        assert_eq!(log_out_all(&here, &json!([])).await.status, 422);
        assert_eq!(there.get("/auth/me").await.status, 200);
        let ended = here.post(ALL).await;
        assert_eq!((ended.status, ended.text.as_str()), (200, r#"{"message":"Logged out of all other sessions","ended":2}"#));
        assert_eq!(ended.one("cache-control"), "no-store");
        assert_eq!((there.get("/auth/me").await.status, elsewhere.get("/auth/me").await.status), (401, 401));
        assert_eq!((here.get("/auth/me").await.status, colleague.get("/auth/me").await.status), (200, 200));
        assert_eq!(app.refresh(&there.refresh_token).await.status, 401);
        let again = log_out_all(&here, &json!({"include_current": false})).await;
        assert_eq!(again.json()["ended"], json!(0));
        let back = app.sign_in(&here.email).await;
        let all = TestApp::send(back.request("POST", "/auth/logout-all/").json(&json!({"include_current": true}))).await;
        assert_eq!(all.text, r#"{"message":"Logged out of all sessions","ended":2}"#);
        assert_eq!((here.get("/auth/me").await.status, back.get("/auth/me").await.status), (401, 401));
        assert_eq!(colleague.get("/auth/me").await.status, 200);
        let events = format!("FROM auth.audit_log WHERE action LIKE '%sessions_ended' AND org_id = {}", here.org);
        assert_eq!(app.numbers(&format!("SELECT COUNT(*) {events}")).await, [2]);
        let reason = format!("SELECT DISTINCT revoke_reason FROM auth.sessions WHERE user_id = {}", here.user);
        assert_eq!(app.texts(&reason).await, [Some("ended_with_others".to_owned())]);
    }
}
