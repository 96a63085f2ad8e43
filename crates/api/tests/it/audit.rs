//! The audit trail over HTTP: what is recorded with what, and that each organization's chain has no gap and no fork.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::{
    audit::{AuditRecord, Place},
    clock::Clock as _,
    ids::{OrgId, UserId},
    role::Role,
};
use sme_pulse_testing::{Engine, on_both_databases};

use super::support::{PASSWORD, TestApp};

/// The events of an organization, or of none, in order, each as one JSON object.
async fn events(app: &TestApp, org: Option<i64>) -> Vec<Value> {
    let columns = [
        "org_id",
        "actor_user_id",
        "action",
        "entity",
        "entity_id",
        "before",
        "after",
        "request_id",
        "client_ip",
        "seq",
        "prev_hash",
        "hash",
        "encoding",
        "salts",
        "erased",
    ];
    let make = if app.engine() == Engine::Postgres { "json_build_object" } else { "json_object" };
    let members: Vec<String> = columns
        .iter()
        .map(|name| match *name {
            "before" | "after" | "salts" | "erased" if app.engine() == Engine::Sqlite => {
                format!("'{name}', json(\"{name}\")")
            }
            _ => format!("'{name}', \"{name}\""),
        })
        .collect();
    let owner = org.map_or("org_id IS NULL".to_owned(), |org| format!("org_id = {org}"));
    let members = members.join(", ");
    let sql = format!("SELECT CAST({make}({members}) AS text) FROM auth.audit_log WHERE {owner} ORDER BY seq");
    app.texts(&sql).await.into_iter().map(|text| serde_json::from_str(&text.unwrap()).unwrap()).collect()
}

/// Recomputes every hash; the clock must not have moved since the first event.
fn assert_chain(app: &TestApp, events: &[Value]) {
    let mut before: Option<String> = None;
    for (number, event) in (1..).zip(events) {
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        let record = AuditRecord {
            org: event["org_id"].as_i64().map(OrgId::new),
            place: Place { seq: number, prev_hash: text("prev_hash"), created_at: app.clock.now() },
            actor: event["actor_user_id"].as_i64().map(UserId::new),
            action: text("action").unwrap(),
            entity: text("entity"),
            entity_id: event["entity_id"].as_i64(),
            request_id: text("request_id").map(|id| id.parse().unwrap()),
            client_ip: text("client_ip"),
            before: serde_json::from_value(event["before"].clone()).unwrap(),
            after: serde_json::from_value(event["after"].clone()).unwrap(),
            encoding: 2,
            salts: serde_json::from_value::<Option<_>>(event["salts"].clone()).unwrap().unwrap_or_default(),
            erased: serde_json::from_value::<Option<_>>(event["erased"].clone()).unwrap().unwrap_or_default(),
            hash: text("hash").unwrap(),
        };
        assert_eq!((event["seq"].as_i64(), text("prev_hash")), (Some(number), before), "{event}");
        assert_eq!(record.computed_hash().as_ref(), Ok(&record.hash), "{event}");
        before = text("hash");
    }
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap()).collect()
}

on_both_databases! {
    async fn log_ins_refusals_and_log_outs_are_recorded_and_chained(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let refused = app.log_in(&member.email, "not the password").await;
        assert_eq!(app.log_in("stranger@example.com", "not the password").await.status, 401);
        let out = member.post("/auth/logout").await;
        assert_eq!((out.status, out.text.as_str()), (204, ""));

        let events_of_org = events(&app, Some(member.org)).await;
        assert_eq!(actions(&events_of_org), ["auth.log_in", "auth.log_in_failed", "auth.log_out"]);
        assert_chain(&app, &events_of_org);
        for (event, actor) in events_of_org.iter().zip([json!(member.user), Value::Null, json!(member.user)]) {
            assert_eq!(
                (&event["actor_user_id"], &event["entity"], &event["entity_id"]),
                (&actor, &json!("users"), &json!(member.user))
            );
            assert_eq!(event["client_ip"], "127.0.0.1");
        }
        assert_eq!(events_of_org[1]["request_id"], refused.one("x-request-id"));
        assert_eq!(events_of_org[2]["request_id"], out.one("x-request-id"));

        let strangers = events(&app, None).await;
        assert_eq!(actions(&strangers), ["auth.log_in_failed"]);
        assert_chain(&app, &strangers);
        let everything = format!("{events_of_org:?}{strangers:?}");
        for secret in ["not the password", PASSWORD, "stranger@example.com", &member.token, "$2b$"] {
            assert!(!everything.contains(secret), "{secret}");
        }
    }

    async fn a_change_is_recorded_with_the_changed_fields_only(app: TestApp) {
        let member = app.member(&[Role::Admin]).await;
        let answer = member.put("/api/v1/settings", &json!({"name": "After", "phone": "12", "address": null})).await;
        assert_eq!(member.put("/api/v1/settings", &json!({"name": "After"})).await.status, 200);
        let all = events(&app, Some(member.org)).await;
        assert_eq!(actions(&all), ["auth.log_in", "organization.updated"], "a change of nothing is no event");
        let change = &all[1];
        assert_eq!(change["after"], json!({"name": "After", "phone": "12"}));
        assert_eq!(change["before"]["phone"], Value::Null);
        assert!(change["before"]["name"].as_str().unwrap().starts_with("Org "));
        assert_eq!(change["before"].as_object().unwrap().len(), 2);
        assert_eq!((&change["entity"], &change["entity_id"]), (&json!("organizations"), &json!(member.org)));
        assert_eq!(
            (&change["actor_user_id"], &change["request_id"]),
            (&json!(member.user), &json!(answer.one("x-request-id")))
        );
        assert_chain(&app, &all);
    }

    async fn parallel_events_leave_one_unbroken_chain(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let attempts = (0..12).map(|number| {
            let password = if number % 2 == 0 { PASSWORD } else { "wrong" };
            app.log_in(&member.email, password)
        });
        let strangers = (0..4).map(|_| app.log_in("stranger@example.com", "wrong"));
        let (ours, theirs) = tokio::join!(join_all(attempts), join_all(strangers));
        assert_eq!(ours.iter().filter(|answer| answer.status == 200).count(), 6);
        assert!(ours.iter().chain(&theirs).all(|answer| matches!(answer.status, 200 | 401)));
        let all = events(&app, Some(member.org)).await;
        assert_eq!(all.len(), 13);
        assert_chain(&app, &all);
        let outside = events(&app, None).await;
        assert_eq!(outside.len(), 4);
        assert_chain(&app, &outside);
    }
}
