//! Asking about tokens and taking them back: only live ones of the own organization mean anything, all others look alike.

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, TestApp, claims, claims_but, mint, user_path};

const INTROSPECT: &str = "/api/v1/auth/introspect";
const REVOKE: &str = "/api/v1/auth/revoke";
const FORM: &str = "application/x-www-form-urlencoded";

impl Member<'_> {
    async fn form(&self, path: &str, body: impl Into<String>) -> Answer {
        TestApp::send(self.request("POST", path).header("content-type", FORM).body(body.into())).await
    }

    async fn inspects(&self, token: &str) -> Value {
        let answer = self.form(INTROSPECT, format!("token={token}&token_type_hint=access_token")).await;
        assert_eq!((answer.status, answer.one("cache-control")), (200, "no-store"), "{}", answer.text);
        answer.json()
    }

    async fn revokes(&self, token: &str) {
        let answer = self.form(REVOKE, format!("token={token}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    }
}

/// Whatever does not count, all of it genuine once or nearly so.
async fn dead(app: &TestApp, owner: &Member<'_>) -> Vec<(&'static str, String)> {
    let ended = app.colleague(owner.org, "ended@example.com", &[Role::Cashier]).await;
    assert_eq!(ended.post("/api/v1/auth/logout").await.status, 204);
    let gone = app.colleague(owner.org, "gone@example.com", &[Role::Cashier]).await;
    let kept = gone.token.clone();
    assert_eq!(owner.delete(&user_path(gone.user)).await.status, 204);
    let stranger = app.member(&[Role::Owner]).await;
    let replaced = app.colleague(owner.org, "replaced@example.com", &[Role::Cashier]).await;
    let next = app.refresh(&replaced.refresh_token).await.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(app.refresh(&next).await.status, 200);
    let expired = mint(&claims_but(&owner.token, "exp", Some(json!(1_000_000_000))));
    let mut forged = owner.token.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'E' } else { 'A' });
    vec![
        ("rubbish", "rubbish".to_owned()),
        ("a key for programs", "smep_x".to_owned()),
        ("an ended session", ended.token.clone()),
        ("its refresh token", ended.refresh_token.clone()),
        ("a user who is gone", kept),
        ("another organization's", stranger.token.clone()),
        ("its refresh token", stranger.refresh_token.clone()),
        ("a used refresh token", replaced.refresh_token.clone()),
        ("expired", expired),
        ("forged", forged),
        ("another organization claimed", mint(&claims_but(&owner.token, "org_id", Some(json!(stranger.org))))),
        ("very long", "x".repeat(100_000)),
    ]
}

async fn live_sessions(app: &TestApp) -> i64 {
    app.numbers("SELECT COUNT(*) FROM auth.sessions WHERE revoked_at IS NULL").await[0]
}

on_both_databases! {
    async fn a_live_access_token_says_what_its_holder_may_do_now(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let member = app.colleague(owner.org, "a@example.com", &[Role::Accountant]).await;
        let told = owner.inspects(&member.token).await;
        let own = claims(&member.token);
        for name in ["sub", "org_id", "sid", "iat", "exp", "iss", "aud", "jti"] {
            assert_eq!(told[name], own[name], "{name}");
        }
        assert_eq!((&told["active"], &told["token_type"], &told["username"]), (&json!(true), &json!("bearer"), &json!("a@example.com")));
        let scope = "own_account read_organization read_partners write_partners read_accounts write_accounts";
        assert_eq!(told["scope"], scope);
        assert_eq!(owner.put(&user_path(member.user), &json!({"roles": ["cashier"]})).await.status, 200);
        assert_eq!(owner.inspects(&member.token).await["scope"], "own_account read_organization read_partners read_accounts");
        let names: Vec<_> = told.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), 12, "{names:?}");
    }

    async fn a_live_refresh_token_is_told_as_well_and_stays_as_it_is(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let told = owner.inspects(&owner.refresh_token).await;
        assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("refresh_token")));
        assert_eq!((&told["sid"], &told["sub"]), (&claims(&owner.token)["sid"], &json!(owner.user.to_string())));
        assert_eq!((told.get("jti"), told.get("iat")), (None, None));
        let next = app.refresh(&owner.refresh_token).await;
        assert_eq!(next.status, 200);
        // The one before the newest still gives the newest again, until that is used.
        assert_eq!(owner.inspects(&owner.refresh_token).await["active"], true);
    }

    async fn whatever_else_looks_the_same_and_is_left_as_it_was(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for (what, token) in dead(&app, &owner).await {
            let live = live_sessions(&app).await;
            let answer = owner.form(INTROSPECT, format!("token={token}")).await;
            assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"active":false}"#), "{what}");
            if !token.starts_with("smep_") {
                owner.revokes(&token).await;
            }
            assert_eq!(live_sessions(&app).await, live, "{what}");
        }
    }

    async fn asking_does_not_touch_the_session(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let member = app.colleague(owner.org, "a@example.com", &[Role::Cashier]).await;
        let seen = format!("SELECT {} FROM auth.sessions WHERE user_id = {}", app.epoch("last_seen_at"), member.user);
        app.auth.write_last_seen().await.unwrap();
        let before = app.numbers(&seen).await;
        app.clock.advance(std::time::Duration::from_mins(5));
        for token in [&member.token, &member.refresh_token] {
            assert_eq!(owner.inspects(token).await["active"], true);
        }
        app.auth.write_last_seen().await.unwrap();
        assert_eq!(app.numbers(&seen).await, before);
    }

    async fn taking_a_token_back_ends_its_session_with_a_trace(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let member = app.colleague(owner.org, "a@example.com", &[Role::Cashier]).await;
        let again = app.sign_in("a@example.com").await;
        owner.revokes(&member.token).await;
        owner.revokes(&member.token).await;
        assert_eq!((app.me(&member.token).await.status, app.me(&again.token).await.status), (401, 200));
        assert_eq!(app.refresh(&member.refresh_token).await.status, 401);
        owner.revokes(&again.refresh_token).await;
        assert_eq!(app.me(&again.token).await.status, 401);
        let reasons = app.texts(&format!("SELECT revoke_reason FROM auth.sessions WHERE user_id = {}", member.user)).await;
        assert_eq!(reasons, vec![Some("token_revoked".to_owned()); 2]);
        let page = owner.get("/api/v1/audit?action=auth.token_revoked").await.json();
        assert_eq!(page["total"], 2);
        assert_eq!(page["items"][1]["actor_user_id"], owner.user);
        assert_eq!(page["items"][1]["entity_id"], member.user);
        assert_eq!(page["items"][1]["before"], json!({"session": claims(&member.token)["sid"]}));
    }

    async fn only_owners_take_the_tokens_of_owners_back(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let admin = app.colleague(owner.org, "admin@example.com", &[Role::Admin]).await;
        let second = app.colleague(owner.org, "second@example.com", &[Role::Owner]).await;
        for token in [&owner.token, &owner.refresh_token] {
            let answer = admin.form(REVOKE, format!("token={token}")).await;
            answer.assert_envelope(403, "Insufficient permissions", "Insufficient permissions", "insufficient_permissions");
        }
        assert_eq!(app.me(&owner.token).await.status, 200);
        second.revokes(&owner.token).await;
        assert_eq!(app.me(&owner.token).await.status, 401);
        admin.revokes(&admin.token).await;
        assert_eq!(app.me(&admin.token).await.status, 401, "the own session like any other");
    }

    async fn forms_are_read_strictly_and_json_as_everywhere(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for path in [INTROSPECT, REVOKE] {
            for (body, place, kind) in [
                ("", json!(["body", "token"]), "missing"),
                ("token=&x=1", json!(["body", "token"]), "missing"),
                ("token=a&token=a", json!(["body", "token"]), "value_error"),
                ("token=a&token_type_hint=b&token_type_hint=b", json!(["body", "token_type_hint"]), "value_error"),
                ("token=%zz", json!(["body"]), "form_invalid"),
                ("token=%ff", json!(["body"]), "form_invalid"),
            ] {
                let answer = owner.form(path, body).await;
                let detail = answer.json()["detail"].clone();
                assert_eq!((answer.status, &detail[0]["loc"], &detail[0]["type"]), (422, &place, &json!(kind)), "{body}");
                assert_eq!(detail.as_array().unwrap().len(), 1);
            }
            for body in ["token=a&token_type_hint=planet", "to%6ben=a+b%20c", "x=1&x=2&token=a"] {
                assert_eq!(owner.form(path, body).await.status, 200, "{body}");
            }
            let request = owner.request("POST", path).header("content-type", format!("{FORM}; charset=UTF-8")).body("token=a");
            assert_eq!(TestApp::send(request).await.status, 200);
            assert_eq!(owner.post_json(path, &json!({"token": "a"})).await.status, 200);
            assert_eq!(owner.post_json(path, &json!({"token": 7})).await.json()["detail"][0]["type"], "string_type");
            let text = owner.request("POST", path).header("content-type", "text/plain").body("token=a");
            assert_eq!(TestApp::send(text).await.json()["detail"][0]["type"], "model_attributes_type");
            assert_eq!(owner.form(path, format!("token={}", "x".repeat(2_000_000))).await.status, 413);
        }
        // A form is no body of any other route.
        assert_eq!(owner.form("/api/v1/auth/logout-all", "include_current=true").await.status, 422);
    }

    async fn keys_for_programs_are_revoked_elsewhere(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let answer = owner.form(REVOKE, "token=smep_whatever").await;
        let text = "API keys are revoked under /api/v1/api-keys.";
        answer.assert_envelope(400, text, text, "unsupported_token_type");
    }
}
