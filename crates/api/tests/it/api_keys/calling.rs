//! Calls with a key: what opens, what stays closed, and that every refusal looks alike and counts on the next request.

use std::time::Duration;

use serde_json::{Value, json};
use sme_pulse_api::{random::SystemRng, routes::mount::Access};
use sme_pulse_domain::{
    api_key::{FOR_API_KEYS, KeyKind, KeyText, is_for_api_keys},
    permission::Permission,
    role::Role,
};
use sme_pulse_testing::on_both_databases;

use super::super::support::user_path;
use super::{Answer, DAY, Member, TestApp, actions, ask, assert_code, create, made, revoke};

const CUSTOMERS: &str = "/api/v1/customers";

/// What a path looks like when all its ids stand for nothing.
fn concrete(path: &str) -> String {
    let segment = |part: &str| if part.starts_with('{') { i64::MAX.to_string() } else { part.to_owned() };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

async fn refused(app: &TestApp, key: &str) -> Answer {
    ask(app, key, CUSTOMERS).await
}

/// The one answer to every key that is no good.
async fn assert_refused(app: &TestApp, what: &str, key: &str) {
    let expected = ask(app, "no.token.atall", CUSTOMERS).await;
    assert_code(&expected, 401, "invalid_token");
    assert_eq!(refused(app, key).await.comparable(), expected.comparable(), "{what}");
}

async fn add_customer(app: &TestApp, key: &str) -> Answer {
    TestApp::send(app.request("POST", CUSTOMERS).bearer_auth(key).json(&json!({"name": "Ann"}))).await
}

on_both_databases! {
    async fn whatever_is_wrong_with_a_key_the_answer_is_the_same(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let (_, key) = made(&owner, &["read_partners"]).await;
        assert_eq!(ask(&app, &key, CUSTOMERS).await.status, 200);
        let reads = app.store.principal_reads();
        for (what, text) in [
            ("cut", key[..66].to_owned()),
            ("longer", format!("{key}0")),
            ("wrong checksum", format!("{}{}", &key[..66], if key.ends_with('a') { 'b' } else { 'a' })),
            ("prefix of another", key.replace(&key[5..17], "000000000000")),
            ("the mark alone", "smep_".to_owned()),
            ("a service account's", KeyText::generate(KeyKind::Service, &SystemRng).expose().to_owned()),
            ("another letter case", key.to_uppercase()),
        ] {
            assert_refused(&app, what, &text).await;
        }
        assert_eq!(app.store.principal_reads(), reads, "none of them is looked for");
        let unknown = KeyText::generate(KeyKind::Organization, &SystemRng);
        assert_refused(&app, "unknown", unknown.expose()).await;
        assert_eq!(app.store.principal_reads(), reads + 1, "one read");

        // A key that begins as a stored one does and goes on in another way.
        let (other, _) = made(&owner, &["read_partners"]).await;
        app.sql(&format!("UPDATE auth.api_keys SET prefix = '{}' WHERE id = {other}", unknown.prefix())).await;
        assert_refused(&app, "wrong secret", unknown.expose()).await;
        for odd in ["Basic", "ApiKey"] {
            let answer = TestApp::send(app.request("GET", CUSTOMERS).header("authorization", format!("{odd} {key}"))).await;
            assert_code(&answer, 401, "not_authenticated");
        }
        let elsewhere = TestApp::send(app.request("GET", &format!("{CUSTOMERS}?api_key={key}")).header("x-api-key", &key)).await;
        assert_code(&elsewhere, 401, "not_authenticated");
    }

    async fn a_key_ends_with_its_time_its_revocation_its_organization_and_its_creator(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let body = json!({"name": "k", "permissions": ["read_partners", "write_partners"], "expires_in_days": 1});
        let timed = owner.post_json(super::PATH, &body).await.json()["key"].as_str().unwrap().to_owned();
        let (id, revoked) = made(&owner, &["read_partners"]).await;
        let (_, key) = made(&owner, &["read_partners", "read_users"]).await;
        for key in [&timed, &revoked, &key] {
            assert_eq!(ask(&app, key, CUSTOMERS).await.status, 200);
        }
        assert_eq!(revoke(&owner, id).await.status, 204);
        assert_refused(&app, "revoked", &revoked).await;
        app.clock.advance(DAY.checked_sub(Duration::from_micros(1)).unwrap());
        assert_eq!(ask(&app, &timed, CUSTOMERS).await.status, 200);
        app.clock.advance(Duration::from_micros(1));
        assert_refused(&app, "expired", &timed).await;

        let refuses = async |change: &str, undo: &str| {
            app.sql(change).await;
            TestApp::until(401, || refused(&app, &key)).await;
            assert_refused(&app, change, &key).await;
            app.sql(undo).await;
            TestApp::until(200, || refused(&app, &key)).await;
        };
        let (org, user) = (owner.org, owner.user);
        let status = |table: &str, id: i64, word: &str| format!("UPDATE core.{table} SET status = '{word}' WHERE id = {id}");
        refuses(&status("organizations", org, "inactive"), &status("organizations", org, "active")).await;
        refuses(&status("users", user, "inactive"), &status("users", user, "active")).await;

        // Demoted: what is left is what the new role grants as well.
        let set = |role: &str| format!("UPDATE core.user_roles SET role_id = (SELECT id FROM core.roles WHERE code = '{role}') WHERE user_id = {user}");
        let people = async || ask(&app, &key, "/api/v1/users").await;
        assert_eq!(people().await.status, 200);
        app.sql(&set("cashier")).await;
        assert_code(&TestApp::until(403, people).await, 403, "insufficient_permissions");
        assert_eq!(ask(&app, &key, CUSTOMERS).await.status, 200);
        app.sql(&format!("DELETE FROM core.user_roles WHERE user_id = {user}")).await;
        TestApp::until(403, || refused(&app, &key)).await;
    }

    async fn deactivating_or_removing_the_creator_revokes_their_keys_for_good_on_the_next_request(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let admin = app.colleague(owner.org, "admin@example.com", &[Role::Admin]).await;
        let guest = app.member(&[Role::Owner]).await;
        app.join(owner.org, &guest.email, &[Role::Admin]).await;
        let entered = guest.post_json("/api/v1/auth/switch-organization", &json!({"org_id": owner.org})).await.json();
        let there = entered["access_token"].as_str().unwrap();
        let body = json!({"name": "k", "permissions": ["read_partners"]});
        let of_guest = TestApp::send(app.request("POST", super::PATH).bearer_auth(there).json(&body)).await.json();
        let of_guest = of_guest["key"].as_str().unwrap().to_owned();
        let (_, at_home) = made(&guest, &["read_partners"]).await;
        let (_, of_admin) = made(&admin, &["read_partners"]).await;
        for key in [&of_guest, &of_admin, &at_home] {
            assert_eq!(ask(&app, key, CUSTOMERS).await.status, 200);
        }
        for (user, key) in [(guest.user, &of_guest), (admin.user, &of_admin)] {
            assert_eq!(owner.delete(&user_path(user)).await.status, 204);
            assert_refused(&app, "creator gone", key).await;
        }
        assert_eq!(ask(&app, &at_home, CUSTOMERS).await.status, 200, "another organization's key goes on");
        assert_eq!(owner.put(&user_path(admin.user), &json!({"is_active": true})).await.status, 200);
        assert_refused(&app, "creator back", &of_admin).await;
        assert_eq!(actions(&app, owner.org).await, ["api_keys.created", "api_keys.created", "api_keys.revoked", "api_keys.revoked"]);
    }

    async fn a_key_opens_the_routes_of_its_permissions_and_no_others(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for permission in FOR_API_KEYS {
            let (_, key) = made(&owner, &[permission.code()]).await;
            for route in &app.routes {
                let Access::Needs(needed) = route.access else { continue };
                let request = app.request(route.method.as_str(), &concrete(&route.path)).bearer_auth(&key);
                let answer = TestApp::send(request.header("content-type", "application/json").body("{}")).await;
                if needed == permission {
                    assert!(![401, 403].contains(&answer.status), "{route:?}: {}", answer.text);
                } else {
                    assert_code(&answer, 403, "insufficient_permissions");
                }
            }
        }
    }

    async fn a_key_with_everything_that_keys_have_stays_out_of_accounts_people_and_keys(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let codes = FOR_API_KEYS.map(Permission::code);
        let (_, key) = made(&owner, &codes).await;
        // Not even a row that was written beside the product widens a key.
        app.sql("UPDATE auth.api_keys SET permissions = permissions || ' own_account write_users manage_invitations manage_api_keys'").await;
        let mut closed = 0;
        for route in &app.routes {
            let Access::Needs(needed) = route.access else { continue };
            let path = concrete(&route.path).replace(&i64::MAX.to_string(), &owner.user.to_string());
            if is_for_api_keys(needed) {
                continue;
            }
            let request = app.request(route.method.as_str(), &path).bearer_auth(&key);
            let answer = TestApp::send(request.header("content-type", "application/json").body("{}")).await;
            assert_code(&answer, 403, "insufficient_permissions");
            closed += 1;
        }
        assert!(closed > 30, "{closed}");
        assert_eq!(owner.get("/auth/me").await.status, 200, "nothing was done to its creator");
    }

    async fn what_a_key_does_is_its_creators_and_the_trail_says_with_which_key(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let (id, key) = made(&owner, &["read_partners", "write_partners", "write_organization"]).await;
        assert_eq!(add_customer(&app, &key).await.status, 201);
        let renamed = app.request("PUT", "/api/v1/settings").bearer_auth(&key).json(&json!({"name": "Other"}));
        assert_eq!(TestApp::send(renamed).await.status, 200);
        assert_eq!(owner.post_json(CUSTOMERS, &json!({"name": "Bob"})).await.status, 201);
        let events = owner.get("/api/v1/audit?limit=3").await.json()["items"].clone();
        let seen: Vec<_> = events.as_array().unwrap().iter()
            .map(|event| (event["actor_user_id"].clone(), event["after"]["api_key_id"].clone())).collect();
        let (by, with) = (json!(owner.user), json!(id.to_string()));
        assert_eq!(seen, [(by.clone(), Value::Null), (by.clone(), with.clone()), (by, with)], "{events}");
        assert!(app.auth.sign_checkpoints().await.unwrap() > Some(0), "the chain is whole");
        let kept = format!("SELECT user_id FROM auth.idempotency_keys WHERE org_id = {}", owner.org);
        let once = async |name: &str| {
            let request = app.request("POST", CUSTOMERS).bearer_auth(&key).header("Idempotency-Key", "a");
            TestApp::send(request.json(&json!({"name": name}))).await
        };
        let (first, again) = (once("Carl").await, once("Carl").await);
        assert_eq!((first.status, &first.text, again.header("idempotent-replayed")), (201, &again.text, Some("true")));
        assert_eq!(app.numbers(&kept).await, [owner.user]);
    }

    async fn last_use_is_written_at_most_once_a_minute_and_never_by_the_request(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let (id, key) = made(&owner, &["read_partners"]).await;
        let (idle, _) = made(&owner, &["read_partners"]).await;
        let used = async |id: i64| {
            let last = format!("SELECT COALESCE({}, 0) FROM auth.api_keys WHERE id = {id}", app.epoch("last_used_at"));
            app.numbers(&last).await[0]
        };
        let come = async |after: u64| {
            app.clock.advance(Duration::from_secs(after));
            assert_eq!(ask(&app, &key, CUSTOMERS).await.status, 200);
            let before = used(id).await;
            app.auth.write_last_seen().await.unwrap();
            (before, used(id).await)
        };
        let start = 1_763_626_530;
        assert_eq!(come(0).await, (0, start));
        assert_eq!(come(30).await, (start, start), "less than a minute");
        assert_eq!(come(29).await, (start, start), "less than a minute");
        assert_eq!(come(1).await, (start, start + 60));
        assert_eq!(used(idle).await, 0);
        assert_refused(&app, "never noted", &format!("{key}x")).await;
        app.auth.write_last_seen().await.unwrap();
        let shown = owner.get(&super::one(id)).await.json();
        assert_eq!(shown["last_used_at"], json!("2025-11-20T08:16:30.123456Z"));
    }

    async fn a_warm_key_reads_no_database_and_the_creator_of_another_is_not_mixed_up(app: TestApp) {
        let (owner, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let keys = [made(&owner, &["read_organization"]).await.1, made(&other, &["read_organization"]).await.1];
        let sheet = async |key: &str| ask(&app, key, "/api/v1/settings").await.json()["id"].clone();
        for _ in 0..2 {
            assert_eq!((sheet(&keys[0]).await, sheet(&keys[1]).await), (json!(owner.org), json!(other.org)));
        }
        // A change elsewhere may make one more read needed; after that none is.
        TestApp::until(200, async || {
            let before = app.store.principal_reads();
            let answer = ask(&app, &keys[0], "/api/v1/settings").await;
            if app.store.principal_reads() == before { answer } else { Answer { status: 0, ..answer } }
        }).await;
    }

    async fn members_of_every_role_make_no_key_above_their_own(app: TestApp) {
        for role in [Role::Owner, Role::Admin] {
            let member: Member<'_> = app.member(&[role]).await;
            for permission in FOR_API_KEYS {
                let expected = if permission.granted_by(role) { 201 } else { 422 };
                assert_eq!(create(&member, &[permission.code()]).await.status, expected, "{role} {permission:?}");
            }
        }
    }
}
