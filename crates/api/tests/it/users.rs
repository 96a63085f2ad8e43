//! People of an organization: what adding, changing and deactivating them answers and stores.

use std::time::Duration;

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, TestApp, USERS, new_user, user_path};

async fn added(owner: &Member<'_>, email: &str, roles: Value) -> Value {
    let answer = owner.post_json(USERS, &new_user(email, roles)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

fn id(user: &Value) -> i64 {
    user["id"].as_i64().unwrap()
}

async fn changed(member: &Member<'_>, id: i64, patch: Value) -> Value {
    let answer = member.put(&user_path(id), &patch).await;
    assert_eq!(answer.status, 200, "{patch}: {}", answer.text);
    assert_eq!(answer.text, member.get(&user_path(id)).await.text, "what is answered is what is stored");
    answer.json()
}

fn assert_rule(answer: &Answer, text: &str) {
    answer.assert_envelope(400, text, text, "rule_violated");
}

on_both_databases! {
    async fn a_user_is_added_active_and_answered_byte_for_byte(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let body = json!({
            "email": "  Ann@Example.COM ", "full_name": "  Ann Größe\n", "password": "a good passphrase",
            "roles": ["cashier", "owner", "cashier"], "role": "admin",
            "id": 1, "org_id": 1, "status": "inactive", "created_at": "x", "unknown": {}
        });
        let answer = owner.post_json(USERS, &body).await;
        let id = answer.json()["id"].as_i64().unwrap();
        let expected = format!(
            concat!(
                r#"{{"id":{},"email":"ann@example.com","full_name":"Ann Größe","org_id":{},"status":"active","#,
                r#""roles":["owner","cashier"],"created_at":"2025-11-20T08:15:30.123456Z","#,
                r#""updated_at":"2025-11-20T08:15:30.123456Z","last_login":null}}"#
            ),
            id, owner.org
        );
        assert_eq!((answer.status, answer.text.as_str()), (201, expected.as_str()));
        assert_eq!((answer.one("cache-control"), answer.one("content-type")), ("no-store", "application/json"));
        assert_eq!(owner.get(&user_path(id)).await.text, expected);

        app.clock.advance(Duration::from_secs(1));
        assert_eq!(app.log_in("ann@example.com", "a good passphrase").await.status, 200);
        assert_eq!(owner.get(&user_path(id)).await.json()["last_login"], "2025-11-20T08:15:31.123456Z");
        let roles = app.numbers(&format!("SELECT COUNT(*) FROM core.user_roles WHERE user_id = {id} AND org_id = {}", owner.org)).await;
        assert_eq!(roles, [2]);
    }

    async fn one_role_may_be_named_alone_and_null_roles_count_as_absent(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for (number, roles) in [json!({"role": "cashier"}), json!({"role": "cashier", "roles": null}), json!({"roles": ["cashier"], "role": null})].into_iter().enumerate() {
            let mut body = new_user(&format!("p{number}@example.com"), Value::Null);
            body.as_object_mut().unwrap().remove("roles");
            body.as_object_mut().unwrap().extend(roles.as_object().unwrap().clone());
            let answer = owner.post_json(USERS, &body).await;
            assert_eq!((answer.status, &answer.json()["roles"]), (201, &json!(["cashier"])), "{roles}");
        }
    }

    async fn roles_set_the_whole_set_and_a_role_alone_changes_nothing_when_it_is_held(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let user = id(&added(&owner, "ann@example.com", json!(["admin", "accountant"])).await);
        for (patch, roles) in [
            (json!({"role": "accountant", "full_name": "Ann"}), json!(["admin", "accountant"])),
            (json!({"role": "admin"}), json!(["admin", "accountant"])),
            (json!({"role": "cashier"}), json!(["cashier"])),
            (json!({"roles": ["owner", "admin"], "role": "cashier"}), json!(["owner", "admin"])),
            (json!({"roles": ["accountant", "accountant"]}), json!(["accountant"])),
            (json!({}), json!(["accountant"])),
        ] {
            assert_eq!(changed(&owner, user, patch.clone()).await["roles"], roles, "{patch}");
        }
    }

    async fn an_update_changes_what_is_sent_ignores_the_rest_and_writes_nothing_for_nothing(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let before = added(&owner, "ann@example.com", json!(["cashier"])).await;
        app.clock.advance(Duration::from_secs(5));
        let events = app.numbers("SELECT COUNT(*) FROM auth.audit_log").await;
        for nothing in [
            json!({}),
            json!({"email": "other@example.com", "id": 7, "org_id": 1, "password": "x", "password_hash": "x", "created_at": 1, "last_login": 1}),
            json!({"email": 7, "full_name": "New Person", "roles": ["cashier"], "role": "cashier", "status": "active"}),
        ] {
            assert_eq!(changed(&owner, id(&before), nothing).await, before);
        }
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.audit_log").await, events);
        let named = changed(&owner, id(&before), json!({"full_name": " Bob \u{1f600} "})).await;
        assert_eq!((&named["full_name"], &named["updated_at"]), (&json!("Bob \u{1f600}"), &json!("2025-11-20T08:15:35.123456Z")));
        assert_eq!((&named["created_at"], &named["email"]), (&before["created_at"], &before["email"]));
        assert_eq!(changed(&owner, id(&before), json!({"full_name": null})).await["full_name"], Value::Null);
    }

    async fn deactivated_users_stay_in_the_list_and_keep_their_address(app: TestApp) {
        let (owner, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let user = id(&added(&owner, "ann@example.com", json!(["cashier"])).await);
        for _ in 0..2 {
            let gone = owner.delete(&user_path(user)).await;
            assert_eq!((gone.status, gone.text.as_str()), (204, ""));
        }
        let seen = owner.get(&user_path(user)).await.json();
        assert_eq!((&seen["status"], &seen["roles"]), (&json!("inactive"), &json!(["cashier"])));
        assert_eq!(owner.listed("status=inactive", "id").await, (1, vec![json!(user)]));
        let text = "Email already registered";
        for asking in [&owner, &other] {
            asking.post_json(USERS, &new_user("Ann@example.com", json!(["cashier"]))).await.assert_envelope(400, text, text, "duplicate");
        }
        assert_eq!(changed(&owner, user, json!({"status": "active"})).await["status"], "active");
        assert_eq!(app.log_in("ann@example.com", "a good passphrase").await.status, 200);
    }

    async fn nobody_deactivates_or_deletes_themselves_and_the_last_owner_stays(app: TestApp) {
        let owner = app.member(&[Role::Owner, Role::Admin]).await;
        let me = user_path(owner.user);
        let last = "The organization must keep at least one active owner.";
        assert_rule(&owner.put(&me, &json!({"status": "inactive"})).await, "You cannot deactivate your own account.");
        assert_rule(&owner.delete(&me).await, "You cannot delete your own account.");
        for patch in [json!({"roles": ["admin"]}), json!({"role": "cashier"}), json!({"roles": ["cashier"], "full_name": "Half"})] {
            assert_rule(&owner.put(&me, &patch).await, last);
        }
        let seen = owner.get(&me).await.json();
        assert_eq!((&seen["roles"], &seen["full_name"]), (&json!(["owner", "admin"]), &json!(format!("User {}", owner.org - 1))));

        // An inactive owner is none; an active one is.
        let second = id(&added(&owner, "second@example.com", json!(["owner"])).await);
        changed(&owner, second, json!({"status": "inactive"})).await;
        assert_rule(&owner.put(&me, &json!({"roles": ["admin"]})).await, last);
        changed(&owner, second, json!({"status": "active"})).await;
        assert_eq!(changed(&owner, owner.user, json!({"roles": ["admin"]})).await["roles"], json!(["admin"]));
        // And now the one who has stepped back acts on owners no more.
        assert_eq!(owner.put(&user_path(second), &json!({"full_name": "x"})).await.status, 403);
    }

    async fn every_change_leaves_its_events_and_no_secret(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let user = id(&added(&owner, "ann@example.com", json!(["cashier"])).await);
        changed(&owner, user, json!({"full_name": "Ann", "roles": ["admin", "owner"], "status": "inactive"})).await;
        changed(&owner, user, json!({"status": "active"})).await;
        owner.post_json(&format!("{}/reset-password", user_path(user)), &json!({"new_password": "another passphrase"})).await;
        owner.delete(&user_path(user)).await;
        let page = owner.get(&format!("/api/v1/audit?entity=users&entity_id={user}")).await;
        let events = page.json()["items"].as_array().unwrap().clone();
        let told: Vec<Value> = events.iter().map(|event| json!([event["action"], event["before"], event["after"]])).collect();
        assert_eq!(Value::from(told), json!([
            ["users.deactivated", {"status": "active"}, {"status": "inactive", "sessions_ended": "0"}],
            ["users.password_set", null, {"sessions_ended": "0"}],
            ["users.activated", {"status": "inactive"}, {"status": "active", "sessions_ended": "0"}],
            ["users.deactivated", {"status": "active"}, {"status": "inactive", "sessions_ended": "0"}],
            ["users.roles_changed", {"roles": "cashier"}, {"roles": "owner,admin"}],
            ["users.updated", {"full_name": "New Person"}, {"full_name": "Ann"}],
            ["users.created", null, {"email": "ann@example.com", "full_name": "New Person", "roles": "cashier"}],
        ]));
        assert!(events.iter().all(|event| event["actor_user_id"] == json!(owner.user) && event["request_id"].is_string()));
        assert!(!page.text.contains("passphrase") && !page.text.contains("$2b$"));
    }
}
