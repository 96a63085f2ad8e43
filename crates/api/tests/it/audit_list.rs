//! `GET /api/v1/audit`: the own organization's events, filtered and in pages.

use std::time::Duration;

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, TestApp};

const PATH: &str = "/api/v1/audit";

fn seqs(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().iter().map(|item| item["seq"].as_i64().unwrap()).collect()
}

/// Three events: a log-in, and a day later another one and a change of the data sheet.
async fn three(app: &TestApp) -> Member<'_> {
    let member = app.member(&[Role::Admin]).await;
    app.clock.advance(Duration::from_hours(24));
    let member = app.sign_in(&member.email).await;
    assert_eq!(member.put("/api/v1/settings", &json!({"phone": "0123"})).await.status, 200);
    member
}

on_both_databases! {
    async fn the_answer_is_exact_to_the_field(app: TestApp) {
        let member = three(&app).await;
        let answer = member.get(&format!("{PATH}?limit=1")).await;
        let event = &answer.json()["items"][0];
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        let expected = format!(
            r#"{{"total":3,"skip":0,"limit":1,"items":[{{"id":{},"seq":3,"action":"organization.updated","actor_user_id":{},"entity":"organizations","entity_id":{},"before":{{"phone":null}},"after":{{"phone":"0123"}},"client_ip":"127.0.0.1","request_id":"{}","created_at":"2025-11-21T08:15:30.123456Z","hash":"{}","erased":[]}}]}}"#,
            event["id"], member.user, member.org, text("request_id"), text("hash")
        );
        assert_eq!(answer.text, expected);
        assert_eq!(text("hash").len(), 64);
    }

    async fn filters_and_pages(app: TestApp) {
        let member = three(&app).await;
        for (query, expected) in [
            (String::new(), &[3, 2, 1][..]),
            ("?skip=1&limit=1".into(), &[2]),
            ("?skip=9".into(), &[]),
            ("?action=auth.log_in".into(), &[2, 1]),
            ("?action=AUTH.LOG_IN".into(), &[]),
            ("?action=&entity=&actor_user_id=&entity_id=&start_date=&end_date=".into(), &[3, 2, 1]),
            (format!("?action={}", "x".repeat(900)), &[]),
            (format!("?actor_user_id={}", member.user), &[3, 2, 1]),
            ("?actor_user_id=0".into(), &[]),
            (format!("?entity=organizations&entity_id={}", member.org), &[3]),
            (format!("?entity=users&entity_id={}", member.user), &[2, 1]),
            ("?start_date=2025-11-21".into(), &[3, 2]),
            ("?end_date=2025-11-20".into(), &[1]),
            ("?start_date=2025-11-20&end_date=2025-11-21".into(), &[3, 2, 1]),
            ("?start_date=2025-11-21&end_date=2025-11-20".into(), &[]),
            ("?start_date=0001-01-01&end_date=9999-12-31".into(), &[3, 2, 1]),
        ] {
            assert_eq!(seqs(&member.get(&format!("{PATH}{query}")).await), expected, "{query}");
        }
        let page = member.get(&format!("{PATH}?skip=2&limit=500")).await.json();
        assert_eq!((&page["total"], &page["skip"], &page["limit"]), (&json!(3), &json!(2), &json!(500)));
        for (query, place) in [("limit=0", "limit"), ("limit=501", "limit"), ("skip=-1", "skip"), ("actor_user_id=x", "actor_user_id"),
            ("start_date=2025-02-30", "start_date"), ("end_date=1", "end_date"), ("action=%00", "action"), ("entity=%00", "entity")] {
            let refused = member.get(&format!("{PATH}?{query}")).await;
            assert_eq!((refused.status, &refused.json()["detail"][0]["loc"]), (422, &json!(["query", place])), "{query}");
        }
    }

    async fn nobody_sees_another_organizations_events(app: TestApp) {
        let (ours, theirs) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        app.log_in("stranger@example.com", "wrong").await;
        for (member, other) in [(&ours, &theirs), (&theirs, &ours)] {
            assert_eq!(seqs(&member.get(PATH).await), [1]);
            let foreign = member.get(&format!("{PATH}?actor_user_id={}", other.user)).await.json();
            assert_eq!((&foreign["total"], &foreign["items"]), (&json!(0), &json!([])));
        }
        let shown: Value = ours.get(PATH).await.json();
        assert!(!shown.to_string().contains("salt"), "salts are for exports only");
    }
}
