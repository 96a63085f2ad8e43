//! Proving again who one is: what asks for it, what satisfies it, and that the server's own state decides.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::{clock::Clock as _, role::Role};
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, PASSWORD, TestApp, claims, claims_but, mint};

const STEP_UP: &str = "/api/v1/auth/step-up";
/// Demands a proof of the last 15 minutes.
const GUARDED: &str = "/api/v1/auth/mfa/enroll";
const MINUTES_15: Duration = Duration::from_mins(15);

fn assert_step_up_required(answer: &Answer) {
    let text = "Please confirm who you are to continue";
    answer.assert_envelope(403, text, text, "step_up_required");
    let challenge = r#"Bearer error="insufficient_user_authentication", max_age="900""#;
    assert_eq!(answer.one("www-authenticate"), challenge);
}

async fn guarded(app: &TestApp, token: &str) -> Answer {
    TestApp::send(app.request("POST", GUARDED).bearer_auth(token)).await
}

async fn prove(member: &Member<'_>, proof: Value) -> Answer {
    member.send(STEP_UP, &proof).await
}

on_both_databases! {
    async fn a_proof_counts_for_fifteen_minutes_and_the_session_remembers_it(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        app.clock.advance(MINUTES_15.checked_sub(Duration::from_micros(1)).unwrap());
        assert_eq!(member.post(GUARDED).await.status, 200);
        app.clock.advance(Duration::from_micros(1));
        assert_step_up_required(&member.post(GUARDED).await);
        assert_eq!(member.get("/auth/me").await.status, 200, "the token itself is good");

        let proved = prove(&member, json!({"password": PASSWORD})).await;
        let token = proved.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(proved.text, format!(r#"{{"access_token":"{token}","token_type":"bearer","expires_in":1800}}"#));
        let told = claims(&token);
        assert_eq!((&told["auth_time"], &told["amr"]), (&json!(app.clock.now().timestamp()), &json!(["pwd"])));
        assert_eq!(told["sid"], claims(&member.token)["sid"]);
        assert_eq!((member.post(GUARDED).await.status, guarded(&app, &token).await.status), (200, 200), "either token");
        app.clock.advance(MINUTES_15);
        assert_step_up_required(&guarded(&app, &token).await);
        let events = format!("SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%reauthenticated' AND actor_user_id = {}", member.user);
        assert_eq!(app.numbers(&events).await, [1]);
    }

    async fn the_state_of_the_session_decides_and_no_claim(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        let other = app.sign_in(&member.email).await;
        app.clock.advance(MINUTES_15);
        let now = app.clock.now().timestamp();
        for (claim, value) in [("auth_time", json!(now)), ("auth_time", json!(now + 9_999)), ("amr", json!(["pwd", "otp", "mfa"])), ("iat", json!(now))] {
            assert_step_up_required(&guarded(&app, &mint(&claims_but(&member.token, claim, Some(value)))).await);
        }
        assert_eq!(prove(&member, json!({"password": PASSWORD})).await.status, 200);
        assert_eq!(member.post(GUARDED).await.status, 200);
        assert_step_up_required(&other.post(GUARDED).await);
        let old = mint(&claims_but(&member.token, "auth_time", Some(json!(1))));
        assert_eq!(guarded(&app, &old).await.status, 200);
        for (claim, value) in [("auth_time", json!("now")), ("auth_time", Value::Null), ("amr", json!("pwd")), ("amr", json!([1]))] {
            assert_eq!(guarded(&app, &mint(&claims_but(&member.token, claim, Some(value.clone())))).await.status, 401, "{claim} {value}");
        }
        let sessionless = mint(&claims_but(&member.token, "sid", None));
        assert_step_up_required(&guarded(&app, &sessionless).await);
        let nothing = TestApp::send(app.request("POST", STEP_UP).bearer_auth(&sessionless).json(&json!({"password": PASSWORD}))).await;
        nothing.assert_envelope(400, "This token belongs to no session", "This token belongs to no session", "invalid_state");
    }

    async fn sessions_from_before_count_from_their_beginning_as_proved_by_password(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        app.sql("UPDATE auth.sessions SET authenticated_at = NULL, amr = NULL").await;
        assert_eq!(member.post(GUARDED).await.status, 200);
        app.clock.advance(MINUTES_15);
        assert_step_up_required(&member.post(GUARDED).await);
        let token = prove(&member, json!({"password": PASSWORD})).await.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(claims(&token)["amr"], json!(["pwd"]));
    }

    async fn the_account_decides_what_proves(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        let (both, neither) = ("Either code or password is required", prove(&member, json!({"code": null})).await);
        assert_eq!((neither.status, &neither.json()["detail"]), (422, &json!([{"loc": ["body"], "msg": both, "type": "value_error"}])));
        let wrong = prove(&member, json!({"password": "wrong"})).await;
        wrong.assert_envelope(400, "The code or password is incorrect", "The code or password is incorrect", "rule_violated");
        let needed = "This account has no second factor: the password is needed";
        prove(&member, json!({"code": "123456"})).await.assert_envelope(400, needed, needed, "rule_violated");

        let holder = app.holder(&[Role::Owner]).await;
        app.clock.advance(MINUTES_15);
        let needed = "This account has a second factor: a code is needed";
        prove(&holder.member, json!({"password": PASSWORD})).await.assert_envelope(400, needed, needed, "rule_violated");
        assert_eq!(prove(&holder.member, json!({"code": holder.wrong_code(), "password": PASSWORD})).await.status, 400);
        assert_step_up_required(&holder.member.post("/api/v1/auth/mfa/recovery-codes").await);
        let code = holder.code_in(0);
        let proved = prove(&holder.member, json!({"code": code, "password": "ignored"})).await;
        assert_eq!(claims(proved.json()["access_token"].as_str().unwrap())["amr"], json!(["pwd", "otp", "mfa"]));
        assert_eq!(prove(&holder.member, json!({"code": code})).await.status, 400, "a code counts once");
        assert_eq!(prove(&holder.member, json!({"code": holder.recovery_codes[0]})).await.status, 200);
        assert_eq!(prove(&holder.member, json!({"code": holder.recovery_codes[0]})).await.status, 400);
        assert_eq!(holder.member.post("/api/v1/auth/mfa/recovery-codes").await.status, 200);
        let refused = format!("SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%factor_refused' AND org_id = {}", holder.member.org);
        assert_eq!(app.numbers(&refused).await, [3]);
    }

    async fn one_code_proves_once_in_whatever_place(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        for _ in 0..3 {
            let (token, code) = (holder.half().await, holder.next_code());
            let (verified, proofs) = tokio::join!(
                app.verify(&token, &code),
                join_all((0..4).map(|_| prove(&holder.member, json!({"code": code})))),
            );
            let right = proofs.iter().chain([&verified]).filter(|answer| answer.status == 200).count();
            assert_eq!(right, 1);
            assert!(proofs.iter().all(|answer| matches!(answer.status, 200 | 400)));
        }
    }

    async fn an_ended_session_cannot_be_proved(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        assert_eq!(member.post("/auth/logout").await.status, 204);
        assert_eq!(prove(&member, json!({"password": PASSWORD})).await.status, 401);
        let anonymous = app.post(STEP_UP, &json!({"password": PASSWORD})).await;
        assert_eq!((anonymous.status, anonymous.json()["error_code"].as_str()), (401, Some("not_authenticated")));
    }
}
