//! A user's own sessions: the list, and ending one by its id.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, HASH, TestApp, claims, claims_but, mint};

const LIST: &str = "/api/v1/auth/sessions";

fn sid(token: &str) -> String {
    claims(token)["sid"].as_str().unwrap().to_owned()
}

fn ids(list: &Answer) -> Vec<String> {
    assert_eq!(list.status, 200, "{}", list.text);
    list.json().as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn assert_no_such_session(answer: &Answer) {
    answer.assert_envelope(404, "Session not found", "Session not found", "not_found");
}

on_both_databases! {
    async fn the_list_holds_the_callers_live_sessions_newest_first_exact_to_the_field(app: TestApp) {
        let first = app.member(&[Role::Cashier]).await;
        app.clock.advance(Duration::from_secs(1));
        let second = app.sign_in(&first.email).await;
        app.insert_user(first.org, "colleague@example.com", HASH).await;
        app.sign_in("colleague@example.com").await;
        let list = second.get(LIST).await;
        assert_eq!(ids(&list), [sid(&second.token), sid(&first.token)]);
        let expected = |id: &str, created: &str, expires: &str, current: bool| format!(
            r#"{{"id":"{id}","created_at":"{created}","expires_at":"{expires}","last_seen_at":"{created}","client_ip":"127.0.0.1","user_agent":null,"current":{current}}}"#
        );
        assert_eq!(list.text, format!(
            "[{},{}]",
            expected(&sid(&second.token), "2025-11-20T08:15:31.123456Z", "2025-12-04T08:15:31.123456Z", true),
            expected(&sid(&first.token), "2025-11-20T08:15:30.123456Z", "2025-12-04T08:15:30.123456Z", false),
        ));
        assert_eq!((list.one("cache-control"), first.get("/auth/sessions/").await.status), ("no-store", 200));
        app.clock.advance(Duration::from_hours(14 * 24));
        let third = app.sign_in(&first.email).await;
        assert_eq!(ids(&third.get(LIST).await), [sid(&third.token)], "those that have expired are gone");
    }

    async fn ending_a_session_refuses_its_token_at_once_and_no_other(app: TestApp) {
        let here = app.member(&[Role::Accountant]).await;
        let there = app.sign_in(&here.email).await;
        let path = format!("{LIST}/{}", sid(&there.token));
        assert_eq!(there.get("/auth/me").await.status, 200);
        let ended = TestApp::send(here.request("DELETE", &path)).await;
        assert_eq!((ended.status, ended.text.as_str()), (204, ""));
        assert_eq!((there.get("/auth/me").await.status, here.get("/auth/me").await.status), (401, 200));
        assert_eq!(ids(&here.get(LIST).await), [sid(&here.token)]);
        assert_no_such_session(&TestApp::send(here.request("DELETE", &path)).await);
        let event = "SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%session_ended' AND org_id = ";
        assert_eq!(app.numbers(&format!("{event}{}", here.org)).await, [1]);
        let own = format!("{LIST}/{}", sid(&here.token));
        assert_eq!(TestApp::send(here.request("DELETE", &own)).await.status, 204, "the calling one as well");
        assert_eq!(here.get("/auth/me").await.status, 401);
    }

    async fn nobody_elses_session_can_be_seen_or_ended_and_odd_ids_name_none(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let stranger = app.member(&[Role::Owner]).await;
        app.insert_user(member.org, "colleague@example.com", HASH).await;
        let colleague = app.sign_in("colleague@example.com").await;
        let foreign = [sid(&stranger.token), sid(&colleague.token)];
        let odd = ["x", "0", "%00", "..%2f", "00000000-0000-0000-0000-000000000000", &"9".repeat(300)].map(str::to_owned);
        for id in foreign.iter().chain(&odd) {
            assert_no_such_session(&TestApp::send(member.request("DELETE", &format!("{LIST}/{id}"))).await);
        }
        assert_eq!((stranger.get("/auth/me").await.status, colleague.get("/auth/me").await.status), (200, 200));
        assert_eq!(ids(&member.get(LIST).await), [sid(&member.token)]);
        let sessionless = mint(&claims_but(&member.token, "sid", None));
        let list = TestApp::send(app.request("GET", LIST).bearer_auth(&sessionless)).await.json();
        assert!(list.as_array().unwrap().iter().all(|one| one["current"] == Value::Bool(false)));
    }

    async fn one_of_many_parallel_endings_succeeds(app: TestApp) {
        let here = app.member(&[Role::Owner]).await;
        let there = app.sign_in(&here.email).await;
        let path = format!("{LIST}/{}", sid(&there.token));
        let answers = join_all((0..8).map(|_| TestApp::send(here.request("DELETE", &path)))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404, 404, 404, 404, 404, 404]);
    }

    async fn of_sessions_that_end_each_other_at_once_one_stays(app: TestApp) {
        let mut sessions = vec![app.member(&[Role::Owner]).await];
        for _ in 0..5 {
            sessions.push(app.sign_in(&sessions[0].email).await);
        }
        let answers = join_all(sessions.iter().map(|one| one.post("/auth/logout-all"))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        let alive = join_all(sessions.iter().map(|one| one.get("/auth/me"))).await;
        let alive: Vec<u16> = alive.iter().map(|answer| answer.status).collect();
        assert_eq!(alive, statuses);
    }
}
