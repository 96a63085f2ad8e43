//! Keys for programs: making, seeing and revoking them; in `calling` what opens to them and what refuses them.

mod calling;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, TestApp};

const PATH: &str = "/api/v1/api-keys";
const DAY: Duration = Duration::from_hours(24);

async fn create(member: &Member<'_>, permissions: &[&str]) -> Answer {
    member.post_json(PATH, &json!({"name": "Books", "permissions": permissions})).await
}

/// The row and the text of a new key.
async fn made(member: &Member<'_>, permissions: &[&str]) -> (i64, String) {
    let answer = create(member, permissions).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    (body["id"].as_i64().unwrap(), body["key"].as_str().unwrap().to_owned())
}

fn one(id: i64) -> String {
    format!("{PATH}/{id}")
}

async fn revoke(member: &Member<'_>, id: i64) -> Answer {
    TestApp::send(member.request("DELETE", &one(id))).await
}

/// `GET` with this key.
async fn ask(app: &TestApp, key: &str, path: &str) -> Answer {
    TestApp::send(app.request("GET", path).bearer_auth(key)).await
}

fn assert_code(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["error_code"].as_str()), (status, Some(code)), "{}", answer.text);
}

async fn actions(app: &TestApp, org: i64) -> Vec<String> {
    let sql = format!("SELECT action FROM auth.audit_log WHERE org_id = {org} ORDER BY seq");
    app.texts(&sql).await.into_iter().flatten().filter(|action| action.starts_with("api_keys")).collect()
}

on_both_databases! {
    async fn a_key_is_shown_once_and_only_its_hash_is_kept(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let body = json!({"name": "  Nightly books ", "permissions": ["read_accounts", "read_partners", "read_accounts"], "expires_in_days": 30});
        let answer = owner.post_json(PATH, &body).await;
        assert_eq!((answer.status, answer.one("cache-control")), (201, "no-store"), "{}", answer.text);
        let (shown, key) = (answer.json(), answer.json()["key"].as_str().unwrap().to_owned());
        assert_eq!((&shown["name"], &shown["permissions"]), (&json!("Nightly books"), &json!(["read_partners", "read_accounts"])));
        assert_eq!((&shown["status"], &shown["created_by"], &shown["last_used_at"]), (&json!("active"), &json!(owner.user), &Value::Null));
        assert_eq!((&shown["created_at"], &shown["expires_at"]), (&json!("2025-11-20T08:15:30.123456Z"), &json!("2025-12-20T08:15:30.123456Z")));
        let prefix = shown["prefix"].as_str().unwrap();
        assert!(key.len() == 67 && key.starts_with(prefix) && prefix.len() == 17, "{prefix}");

        let mut without = shown.clone();
        without.as_object_mut().unwrap().remove("key");
        let id = shown["id"].as_i64().unwrap();
        let (read, listed) = (owner.get(&one(id)).await, owner.get(PATH).await);
        assert_eq!((read.json(), listed.json()["items"][0].clone(), listed.json()["total"].clone()), (without.clone(), without, json!(1)));
        assert_eq!((read.one("cache-control"), listed.one("cache-control")), ("no-store", "no-store"));
        let hash = app.texts("SELECT key_hash FROM auth.api_keys").await.remove(0).unwrap();
        let secret = &key[18..];
        for text in [&read.text, &listed.text] {
            assert!(!text.contains(secret) && !text.contains(&hash), "{text}");
        }
        let trail = app.texts("SELECT CAST(after AS text) FROM auth.audit_log").await;
        let rows = app.texts("SELECT name || prefix || key_hash || permissions FROM auth.api_keys").await;
        assert!(hash.len() == 64 && !format!("{trail:?}{rows:?}").contains(secret));
        assert_eq!(actions(&app, owner.org).await, ["api_keys.created"]);
        assert_eq!(ask(&app, &key, "/api/v1/customers").await.status, 200);
    }

    async fn bad_input_is_a_422_on_its_field(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let good = json!(["read_partners"]);
        for (body, place, kind) in [
            (json!({"permissions": good}), "name", "missing"),
            (json!({"name": " ", "permissions": good}), "name", "string_too_short"),
            (json!({"name": "ß".repeat(101), "permissions": good}), "name", "string_too_long"),
            (json!({"name": "a\nb", "permissions": good}), "name", "value_error"),
            (json!({"name": "a\u{0}b", "permissions": good}), "name", "value_error"),
            (json!({"name": 7, "permissions": good}), "name", "string_type"),
            (json!({"name": "k"}), "permissions", "missing"),
            (json!({"name": "k", "permissions": []}), "permissions", "too_short"),
            (json!({"name": "k", "permissions": "read_partners"}), "permissions", "list_type"),
            (json!({"name": "k", "permissions": vec!["read_partners"; 16]}), "permissions", "too_long"),
            (json!({"name": "k", "permissions": ["read_partners", "fly"]}), "permissions.1", "literal_error"),
            (json!({"name": "k", "permissions": ["read_partners", "own_account"]}), "permissions.1", "literal_error"),
            (json!({"name": "k", "permissions": ["manage_api_keys"]}), "permissions.0", "literal_error"),
            (json!({"name": "k", "permissions": ["write_users"]}), "permissions.0", "literal_error"),
            (json!({"name": "k", "permissions": ["manage_invitations"]}), "permissions.0", "literal_error"),
            (json!({"name": "k", "permissions": good, "expires_in_days": 0}), "expires_in_days", "greater_than_equal"),
            (json!({"name": "k", "permissions": good, "expires_in_days": 366}), "expires_in_days", "less_than_equal"),
            (json!({"name": "k", "permissions": good, "expires_in_days": "9"}), "expires_in_days", "int_type"),
        ] {
            let answer = owner.post_json(PATH, &body).await;
            assert_eq!(answer.status, 422, "{body}: {}", answer.text);
            let items = answer.json()["detail"].as_array().unwrap().clone();
            let step = |step: &Value| step.to_string().replace('"', "");
            let loc = items[0]["loc"].as_array().unwrap()[1..].iter().map(step).collect::<Vec<_>>().join(".");
            assert_eq!((items.len(), loc.as_str(), items[0]["type"].as_str()), (1, place, Some(kind)), "{body}");
        }
        let forever = json!({"name": "k", "permissions": good, "expires_in_days": null});
        assert_eq!(owner.post_json(PATH, &forever).await.json()["expires_at"], Value::Null);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.api_keys").await, [1]);
    }

    async fn owners_and_admins_manage_the_keys_of_their_organization_and_nobody_elses(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let (id, _) = made(&owner, &["read_partners"]).await;
        let admin = app.colleague(owner.org, "admin@example.com", &[Role::Admin]).await;
        let (second, _) = made(&admin, &["read_partners", "write_accounts"]).await;
        for (number, role) in [Role::Accountant, Role::Cashier].into_iter().enumerate() {
            let other = app.colleague(owner.org, &format!("other{number}@example.com"), &[role]).await;
            for answer in [create(&other, &["read_partners"]).await, other.get(PATH).await, other.get(&one(id)).await, revoke(&other, id).await] {
                assert_code(&answer, 403, "insufficient_permissions");
            }
        }
        let stranger = app.member(&[Role::Owner]).await;
        for answer in [stranger.get(&one(id)).await, revoke(&stranger, id).await, stranger.get(&one(i64::MAX)).await] {
            answer.assert_envelope(404, "API key not found", "API key not found", "not_found");
        }
        assert_eq!(stranger.get(PATH).await.json()["total"], json!(0));
        assert_eq!((admin.get(&one(id)).await.status, owner.get(&one(second)).await.status), (200, 200));
        // Revoking takes nothing from anybody but the key, so an admin may revoke an owner's.
        assert_eq!(revoke(&admin, id).await.status, 204);
        assert_eq!(owner.get(&one(id)).await.json()["status"], json!("revoked"));
    }

    async fn the_list_is_filtered_by_status_and_name(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for (name, days) in [("Books one", None), ("books TWO", Some(1)), ("Till", None), ("Scale", Some(2))] {
            let body = json!({"name": name, "permissions": ["read_partners"], "expires_in_days": days});
            assert_eq!(owner.post_json(PATH, &body).await.status, 201);
        }
        let till = owner.get(&format!("{PATH}?search=till")).await.json()["items"][0]["id"].as_i64().unwrap();
        assert_eq!(revoke(&owner, till).await.status, 204);
        app.clock.advance(DAY);
        let owner = app.sign_in(&owner.email).await;
        for (query, names) in [
            ("", vec!["Scale", "Till", "books TWO", "Books one"]),
            ("status=active", vec!["Scale", "Books one"]),
            ("status=revoked", vec!["Till"]),
            ("status=expired", vec!["books TWO"]),
            ("status=odd", vec![]),
            ("search=BOOKS", vec!["books TWO", "Books one"]),
            ("search=books&status=active", vec!["Books one"]),
            ("skip=1&limit=2", vec!["Till", "books TWO"]),
            ("search=%25", vec![]),
        ] {
            let page = owner.get(&format!("{PATH}?{query}")).await.json();
            let found: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
            assert_eq!(found, names, "{query}");
        }
        assert_eq!(owner.get(&format!("{PATH}?limit=501")).await.status, 422);
    }

    async fn two_tabs_may_revoke_at_once_and_one_event_tells_of_it(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let (id, key) = made(&owner, &["read_partners"]).await;
        assert_eq!(ask(&app, &key, "/api/v1/customers").await.status, 200);
        let answers = join_all((0..8).map(|_| revoke(&owner, id))).await;
        assert!(answers.iter().all(|answer| answer.status == 204 && answer.text.is_empty()), "{answers:?}");
        assert_code(&ask(&app, &key, "/api/v1/customers").await, 401, "invalid_token");
        let first = owner.get(&one(id)).await.json()["revoked_at"].clone();
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(revoke(&owner, id).await.status, 204);
        assert_eq!(owner.get(&one(id)).await.json()["revoked_at"], first);
        assert_eq!(actions(&app, owner.org).await, ["api_keys.created", "api_keys.revoked"]);
    }

    async fn an_organization_has_at_most_100_live_keys_also_when_they_are_made_at_once(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let row = |number: i64, end: &str| format!(
            "INSERT INTO auth.api_keys (org_id, name, prefix, key_hash, permissions, created_by, expires_at) \
             VALUES ({}, 'k', 'p{number:011}', '{}', 'read_partners', {}, {end})", owner.org, "0".repeat(64), owner.user
        );
        for number in 0..98 {
            app.sql(&row(number, "NULL")).await;
        }
        app.sql(&row(98, "'2025-01-01 00:00:00.000000'")).await;
        let answers = join_all((0..6).map(|_| create(&owner, &["read_partners"]))).await;
        let full = "The organization has as many API keys as it may. Revoke one first.";
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.assert_envelope(409, full, full, "conflict");
        }
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
        let oldest = app.numbers("SELECT MIN(id) FROM auth.api_keys").await[0];
        assert_eq!(revoke(&owner, oldest).await.status, 204);
        assert_eq!(create(&owner, &["read_partners"]).await.status, 201);
        assert_eq!(create(&app.member(&[Role::Owner]).await, &["read_partners"]).await.status, 201, "each for itself");
    }

    async fn a_key_is_made_with_a_recent_proof_alone_and_never_kept_for_a_repetition(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let send = async || {
            let body = json!({"name": "k", "permissions": ["read_partners"]});
            TestApp::send(owner.request("POST", PATH).header("Idempotency-Key", "same").json(&body)).await
        };
        let (first, second) = (send().await.json()["key"].clone(), send().await.json()["key"].clone());
        assert!(first.is_string() && second.is_string() && first != second);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.idempotency_keys").await, [0]);
        app.clock.advance(Duration::from_mins(15));
        assert_code(&create(&owner, &["read_partners"]).await, 403, "step_up_required");
        assert_eq!((owner.get(PATH).await.status, revoke(&owner, 1).await.status), (200, 204), "revoking is never late");
    }
}
