//! The second factor from end to end: enrolling, log-ins in two halves, recovery codes, removing; and that every one-time
//! thing counts once, also when it is sent many times at once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{
    Answer, HASH, Holder, PASSWORD, TestApp, VERIFY, assert_refused, assert_wrong, claims, claims_but, mint,
};

const STATUS: &str = "/api/v1/auth/mfa";
const ENROLL: &str = "/api/v1/auth/mfa/enroll";
const CONFIRM: &str = "/api/v1/auth/mfa/confirm";
const RENEW: &str = "/api/v1/auth/mfa/recovery-codes";
const DISABLE: &str = "/api/v1/auth/mfa/disable";

/// The application with the budgets of production.
struct Limited(TestApp);

impl Fixture for Limited {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[]).await)
    }
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

async fn actions(app: &TestApp, org: i64) -> Vec<String> {
    let query = format!("SELECT action FROM auth.audit_log WHERE org_id = {org} ORDER BY seq");
    app.texts(&query).await.into_iter().flatten().collect()
}

on_both_databases! {
    async fn from_the_first_secret_to_the_last_recovery_code(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let none = r#"{"enabled":false,"confirmed_at":null,"recovery_codes_left":0}"#;
        assert_eq!(member.get(STATUS).await.text, none);
        let (first, made) = (member.post(ENROLL).await, member.post(ENROLL).await);
        assert_ne!(first.json()["secret"], made.json()["secret"], "an unconfirmed secret is replaced");
        let keys: Vec<_> = made.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["otpauth_uri", "qr_svg", "secret"]);
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        let uri = made.json()["otpauth_uri"].as_str().unwrap().to_owned();
        assert!(uri.starts_with("otpauth://totp/SME%20Pulse:user") && uri.contains(&secret), "{uri}");
        assert!(made.json()["qr_svg"].as_str().unwrap().starts_with("<svg "));
        assert_eq!(made.one("cache-control"), "no-store");
        assert_eq!(member.get(STATUS).await.text, none, "it counts once it is confirmed");
        assert!(app.log_in(&member.email, PASSWORD).await.json()["access_token"].is_string());

        let holder = Holder { app: &app, member, secret, recovery_codes: Vec::new() };
        let other = Holder { app: &app, member: app.sign_in(&holder.member.email).await, secret: first.json()["secret"].as_str().unwrap().to_owned(), recovery_codes: Vec::new() };
        if other.code_in(0) != holder.code_in(0) {
            assert_wrong(&holder.member.send(CONFIRM, &json!({"code": other.code_in(0)})).await);
        }
        let confirmed = holder.member.send(CONFIRM, &json!({"code": holder.code_in(0)})).await;
        let codes: Vec<_> = confirmed.json()["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        assert_eq!((confirmed.status, codes.len()), (200, 10), "{}", confirmed.text);
        let status = r#"{"enabled":true,"confirmed_at":"2025-11-20T08:15:30.123456Z","recovery_codes_left":10}"#;
        assert_eq!((holder.member.get(STATUS).await.text.as_str(), other.member.get("/auth/me").await.status), (status, 200));
        assert_eq!(holder.member.post(ENROLL).await.status, 409);
        assert_eq!(holder.member.send(CONFIRM, &json!({"code": holder.code_in(30)})).await.status, 409);

        let half = app.log_in(&holder.member.email, PASSWORD).await;
        let token = half.json()["mfa_token"].as_str().unwrap().to_owned();
        assert_eq!(half.text, format!(r#"{{"mfa_required":true,"mfa_token":"{token}","expires_in":300}}"#));
        let sessions = format!("SELECT COUNT(*) FROM auth.sessions WHERE user_id = {}", holder.member.user);
        let before = app.numbers(&sessions).await[0];
        assert_refused(&app.verify(&token, &holder.code_in(0)).await);
        let request = app.request("POST", VERIFY).header("user-agent", "second device");
        let done = TestApp::send(request.json(&json!({"mfa_token": token, "code": holder.next_code()}))).await;
        assert_eq!((done.status, app.numbers(&sessions).await[0]), (200, before + 1), "{}", done.text);
        let members: Vec<_> = ["access_token", "token_type", "expires_in", "user", "roles", "refresh_token", "refresh_expires_in", "device_token"].into();
        assert!(done.json().as_object().unwrap().keys().all(|key| members.contains(&key.as_str())) && done.text.starts_with("{\"access_token\""));
        assert_eq!(done.json()["roles"], json!(["owner"]));
        let claims = claims(done.json()["access_token"].as_str().unwrap());
        assert_eq!((&claims["amr"], &claims["auth_time"]), (&json!(["pwd", "otp", "mfa"]), &claims["iat"]));
        let agents = format!("SELECT user_agent FROM auth.sessions WHERE user_id = {} AND amr = 'pwd otp mfa' AND user_agent IS NOT NULL", holder.member.user);
        assert_eq!(app.texts(&agents).await, [Some("second device".to_owned())]);

        for (used, code) in codes.iter().enumerate() {
            let typed = if used % 2 == 0 { code.to_lowercase().replace('-', " ") } else { code.clone() };
            let done = app.verify(&holder.half().await, &typed).await;
            assert_eq!(done.status, 200, "{used} {}", done.text);
            assert_eq!(super::support::claims(done.json()["access_token"].as_str().unwrap())["amr"], json!(["pwd", "mfa"]));
            assert_refused(&app.verify(&holder.half().await, code).await);
        }
        assert_eq!(holder.member.get(STATUS).await.json()["recovery_codes_left"], 0);
        let recorded = actions(&app, holder.member.org).await;
        let count = |action: &str| recorded.iter().filter(|one| *one == action).count();
        assert_eq!((count("auth.factor_enabled"), count("auth.recovery_code_used"), count("auth.log_in")), (1, 10, 14), "{recorded:?}");
    }

    async fn a_code_counts_for_its_step_and_its_neighbours_and_once(app: TestApp) {
        let holder = app.holder(&[]).await;
        app.clock.advance(Duration::from_mins(2));
        let (old, late, early, far) = (holder.code_in(-60), holder.code_in(-30), holder.code_in(30), holder.code_in(60));
        let mut token = holder.half().await;
        assert_refused(&app.verify(&token, &old).await);
        assert_refused(&app.verify(&token, &far).await);
        assert_eq!(app.verify(&token, &late).await.status, 200);
        token = holder.half().await;
        assert_refused(&app.verify(&token, &late).await);
        assert_eq!(app.verify(&token, &format!(" {} {} ", &early[..3], &early[3..])).await.status, 200);
        let now = holder.code_in(0);
        assert_refused(&app.verify(&holder.half().await, &now).await);
        app.clock.advance(Duration::from_mins(1));
        assert_eq!(app.verify(&holder.half().await, &far).await.status, 200, "of the step of 30 s ago");
    }

    async fn a_half_log_in_lasts_300_seconds_and_five_codes(app: TestApp) {
        let holder = app.holder(&[]).await;
        let token = holder.half().await;
        app.clock.advance(Duration::from_millis(299_999));
        assert_eq!(app.verify(&token, &holder.code_in(0)).await.status, 200);
        let token = holder.half().await;
        app.clock.advance(Duration::from_mins(5));
        assert_refused(&app.verify(&token, &holder.code_in(0)).await);

        let token = holder.half().await;
        for _ in 0..4 {
            assert_refused(&app.verify(&token, &holder.wrong_code()).await);
        }
        assert_eq!(app.verify(&token, &holder.code_in(0)).await.status, 200, "the fifth");
        let token = holder.half().await;
        for code in [holder.wrong_code().as_str(), "x", "１２３４５６", "0000-0000-0000-0000", ""] {
            let answer = app.verify(&token, code).await;
            if code.is_empty() { assert_eq!(answer.status, 422) } else { assert_refused(&answer) }
        }
        assert_refused(&app.verify(&token, &holder.wrong_code()).await);
        assert_refused(&app.verify(&token, &holder.next_code()).await);
        let remaining = app.store.remove_expired(sme_pulse_domain::clock::Clock::now(&*app.clock)).await.unwrap();
        assert_eq!((remaining, app.numbers("SELECT COUNT(*) FROM auth.mfa_challenges").await), (2, vec![2]));
    }

    async fn whatever_is_sent_twice_at_once_counts_once(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        let sessions = format!("SELECT COUNT(*) FROM auth.sessions WHERE user_id = {}", holder.member.user);
        for round in 0..3 {
            let before = app.numbers(&sessions).await[0];
            // One code, several half log-ins.
            let tokens = join_all((0..6).map(|_| holder.half())).await;
            let code = holder.next_code();
            let answers = join_all(tokens.iter().map(|token| app.verify(token, &code))).await;
            assert_eq!(statuses(&answers), [200, 401, 401, 401, 401, 401], "a code of the app");
            let answers = join_all(tokens.iter().map(|token| app.verify(token, &holder.recovery_codes[round]))).await;
            assert_eq!(statuses(&answers)[..2], [200, 401], "a recovery code");
            // One half log-in, several codes that are all good.
            let token = holder.half().await;
            let codes = [holder.next_code(), holder.recovery_codes[3 + round * 2].clone(), holder.recovery_codes[4 + round * 2].clone()];
            let answers = join_all(codes.iter().map(|code| app.verify(&token, code))).await;
            assert_eq!(statuses(&answers), [200, 401, 401], "a half log-in");
            assert_eq!(app.numbers(&sessions).await[0], before + 3);
        }
        // Each round used up one recovery code, and a third one only if it won: a loser's code is not lost.
        let left = holder.member.get(STATUS).await.json()["recovery_codes_left"].as_u64().unwrap();
        let used = actions(&app, holder.member.org).await.iter().filter(|one| *one == "auth.recovery_code_used").count();
        assert_eq!(left, 10 - u64::try_from(used).unwrap());

        // Five attempts, also when they come at once.
        let token = holder.half().await;
        let answers = join_all((0..12).map(|_| app.verify(&token, "000000"))).await;
        assert!(answers.iter().all(|answer| answer.status == 401));
        assert_eq!(app.numbers("SELECT CAST(MAX(attempts) AS bigint) FROM auth.mfa_challenges").await, [5]);

        let member = app.member(&[]).await;
        let secret = member.post(ENROLL).await.json()["secret"].as_str().unwrap().to_owned();
        let enrolled = Holder { app: &app, member, secret, recovery_codes: Vec::new() };
        let code = json!({"code": enrolled.code_in(0)});
        let answers = join_all((0..6).map(|_| enrolled.member.send(CONFIRM, &code))).await;
        assert_eq!(statuses(&answers), [200, 409, 409, 409, 409, 409], "confirming");
        let answers = join_all((0..6).map(|_| enrolled.member.post(DISABLE))).await;
        assert_eq!(statuses(&answers), [204, 409, 409, 409, 409, 409], "removing");
    }

    async fn tokens_of_one_kind_are_nothing_in_the_place_of_another(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        let whole = holder.sign_in().await;
        let (access, refresh) = (whole["access_token"].as_str().unwrap(), whole["refresh_token"].as_str().unwrap());
        let half = holder.half().await;
        for wrong in [half.as_str(), refresh, &holder.recovery_codes[0]] {
            app.me(wrong).await.assert_envelope(401, "Could not validate credentials", "Could not validate credentials", "invalid_token");
        }
        let code = holder.next_code();
        let (cut, longer, other) = (&half[..half.len() - 1], format!("{half}A"), half.replace("spm_", "spr_"));
        let long = format!("spm_{}", "A".repeat(1 << 19));
        let hash = app.texts("SELECT token_hash FROM auth.mfa_challenges ORDER BY id DESC LIMIT 1").await.remove(0).unwrap();
        for wrong in [access, refresh, cut, &longer, &other, &long, &hash, "spm_", "x", "ｓｐｍ＿", &holder.recovery_codes[0]] {
            assert_refused(&app.verify(wrong, &code).await);
        }
        assert_eq!(app.verify(&half, &code).await.status, 200, "none of them cost it an attempt");
        assert_refused(&app.verify(&half, &holder.next_code()).await);
        let refused = app.verify("x", "y").await;
        assert_eq!(app.verify(&holder.half().await, &holder.wrong_code()).await.comparable(), refused.comparable(), "all look alike");
    }

    async fn bodies_of_every_wrong_form_are_refused_and_change_nothing(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        for path in [VERIFY, CONFIRM, DISABLE, "/api/v1/auth/step-up"] {
            for body in ["", "[]", "null", "{", "\"x\"", "{\"code\":\"\\ud800\"}"] {
                let request = holder.member.request("POST", path).header("content-type", "application/json").body(body.to_owned());
                if (path, body) != (DISABLE, "") {
                    assert_eq!(TestApp::send(request).await.status, 422, "{path} {body}");
                }
            }
            for odd in [json!(1), json!(true), json!(["123456"]), json!({"code": "1"}), json!("")] {
                let body = json!({"mfa_token": odd, "code": odd, "password": odd});
                let answer = holder.member.send(path, &body).await;
                assert_eq!(answer.status, 422, "{path} {body}");
                assert!(!answer.text.contains("123456"));
            }
        }
        for odd in ["１２３４５６", "٠١٢٣٤٥", "\u{202e}123456", "'; DROP TABLE users --", &"1".repeat(1_000_000), &"é".repeat(500_000)] {
            assert_refused(&app.verify(&holder.half().await, odd).await);
            assert_wrong(&holder.member.send(DISABLE, &json!({"code": odd})).await);
            assert_wrong(&holder.member.send(DISABLE, &json!({"password": odd})).await);
            assert_wrong(&holder.member.send("/auth/step-up", &json!({"code": odd})).await);
        }
        let missing = app.post(VERIFY, &json!({})).await.json();
        assert_eq!((&missing["detail"][0]["loc"], &missing["detail"][1]["loc"]), (&json!(["body", "mfa_token"]), &json!(["body", "code"])));
        let status = holder.member.get(STATUS).await.json();
        assert_eq!((&status["enabled"], &status["recovery_codes_left"]), (&json!(true), &json!(10)));
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.mfa_factors").await, [1]);
    }

    async fn what_changes_between_the_halves_counts(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        for (table, id) in [("users", holder.member.user), ("organizations", holder.member.org)] {
            let token = holder.half().await;
            app.sql(&format!("UPDATE core.{table} SET status = 'inactive' WHERE id = {id}")).await;
            assert_refused(&app.verify(&token, &holder.next_code()).await);
            app.sql(&format!("UPDATE core.{table} SET status = 'active' WHERE id = {id}")).await;
            assert_eq!(app.verify(&token, &holder.code_in(0)).await.status, 200, "the code was not used up");
        }
        let token = holder.half().await;
        app.clock.advance(Duration::from_secs(1));
        let changed = "UPDATE core.users SET password_changed_at = (SELECT MAX(created_at) FROM auth.mfa_challenges)";
        app.sql(&format!("{changed} WHERE id = {}", holder.member.user)).await;
        assert_eq!(app.verify(&token, &holder.next_code()).await.status, 200, "changed before it began");
        let old = holder.half().await;
        app.clock.advance(Duration::from_secs(30));
        let _ = holder.half().await;
        app.sql(&format!("{changed} WHERE id = {}", holder.member.user)).await;
        assert_refused(&app.verify(&old, &holder.code_in(0)).await);
        app.sql("DELETE FROM core.user_roles").await;
        assert_eq!(holder.sign_in().await["roles"], json!([]), "roles as they are now");
        let token = holder.half().await;
        assert_eq!(holder.member.send(DISABLE, &json!({"password": PASSWORD})).await.status, 204);
        assert_refused(&app.verify(&token, &holder.next_code()).await);
    }

    async fn removing_it_needs_a_code_the_password_or_a_fresh_log_in_with_it(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        let colleague = app.insert_user(holder.member.org, "colleague@example.com", HASH).await;
        app.clock.advance(Duration::from_mins(15));
        let stale = holder.member.post(DISABLE).await;
        assert_eq!((stale.status, stale.json()["error_code"].as_str()), (403, Some("step_up_required")));
        assert_eq!(holder.member.send(DISABLE, &json!({"code": null, "password": null})).await.status, 403);
        assert_eq!(holder.member.post(RENEW).await.status, 403);
        assert_wrong(&holder.member.send(DISABLE, &json!({"password": "wrong"})).await);
        assert_wrong(&holder.member.send(DISABLE, &json!({"code": holder.wrong_code(), "password": PASSWORD})).await);
        assert_eq!(holder.member.get(STATUS).await.json()["enabled"], true);

        let fresh = mint(&claims(holder.sign_in().await["access_token"].as_str().unwrap()));
        let renewed = TestApp::send(app.request("POST", RENEW).bearer_auth(&fresh)).await;
        assert_eq!(renewed.status, 200, "{}", renewed.text);
        assert_refused(&app.verify(&holder.half().await, &holder.recovery_codes[0]).await);
        let code = renewed.json()["recovery_codes"][0].as_str().unwrap().to_owned();
        let sessionless = mint(&claims_but(&fresh, "sid", None));
        assert_eq!(TestApp::send(app.request("POST", DISABLE).bearer_auth(&sessionless)).await.status, 403);
        assert_eq!(holder.member.send(DISABLE, &json!({"code": code})).await.status, 204);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.mfa_factors UNION ALL SELECT COUNT(*) FROM auth.mfa_recovery_codes UNION ALL SELECT COUNT(*) FROM auth.mfa_challenges").await, [0, 0, 0]);
        assert!(app.log_in(&holder.member.email, PASSWORD).await.json()["access_token"].is_string());
        let recorded = actions(&app, holder.member.org).await;
        assert!(recorded.ends_with(&["auth.recovery_code_used", "auth.factor_disabled", "auth.log_in"].map(str::to_owned)), "{recorded:?}");
        assert_eq!(holder.member.send(DISABLE, &json!({"password": PASSWORD})).await.status, 409);
        assert!(colleague > 0 && app.log_in("colleague@example.com", PASSWORD).await.json()["access_token"].is_string());
    }

    async fn a_session_from_before_the_factor_cannot_touch_it_by_age_alone(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let thief = app.sign_in(&member.email).await;
        let secret = member.post(ENROLL).await.json()["secret"].as_str().unwrap().to_owned();
        let holder = Holder { app: &app, member, secret, recovery_codes: Vec::new() };
        assert_eq!(holder.member.send(CONFIRM, &json!({"code": holder.code_in(0)})).await.status, 200);
        for path in [RENEW, DISABLE] {
            let answer = thief.post(path).await;
            assert_eq!((answer.status, answer.json()["error_code"].as_str()), (403, Some("step_up_required")), "{path}");
        }
        assert_eq!(holder.member.post(RENEW).await.status, 200, "the session that confirmed it may");
        assert_eq!(holder.member.post(DISABLE).await.status, 204);
    }

    async fn nobody_reaches_the_factor_of_another(app: TestApp) {
        let (holder, stranger) = (app.holder(&[Role::Owner]).await, app.holder(&[Role::Owner]).await);
        let token = holder.half().await;
        if stranger.code_in(30) != holder.code_in(30) {
            assert_refused(&app.verify(&token, &stranger.code_in(30)).await);
        }
        assert_refused(&app.verify(&token, &stranger.recovery_codes[0]).await);
        assert_wrong(&holder.member.send(DISABLE, &json!({"code": stranger.recovery_codes[0]})).await);
        assert_eq!(stranger.member.send(DISABLE, &json!({"code": stranger.recovery_codes[0]})).await.status, 204);
        assert_eq!(holder.member.get(STATUS).await.json()["enabled"], true);
    }

    async fn second_halves_have_a_budget_of_their_own_and_wrong_proofs_one_per_user(limited: Limited) {
        let app = &limited.0;
        let holder = app.holder(&[Role::Owner]).await;
        for left in (0..5).rev() {
            let answer = app.verify("x", "123456").await;
            assert_eq!(answer.one("ratelimit"), format!("\"mfa\";r={left};t=60"));
            assert_refused(&answer);
        }
        let refused = TestApp::send(app.request("POST", "/auth/mfa/verify/").body("{}")).await;
        assert_eq!((refused.status, refused.one("ratelimit-policy"), refused.one("retry-after")), (429, "\"mfa\";q=5;w=60", "60"));
        assert!(app.log_in(&holder.member.email, PASSWORD).await.json()["mfa_token"].is_string(), "log-ins count apart");

        for wrong in [DISABLE, "/auth/step-up", DISABLE, "/auth/step-up", DISABLE] {
            assert_wrong(&holder.member.send(wrong, &json!({"code": holder.wrong_code()})).await);
        }
        let right = json!({"code": holder.next_code()});
        assert_eq!(holder.member.send("/auth/step-up", &right).await.status, 429, "also a right one");
        app.clock.advance(Duration::from_mins(1));
        for _ in 0..7 {
            assert_eq!(holder.member.send("/auth/step-up", &json!({"code": holder.next_code()})).await.status, 200, "right ones do not count");
        }
    }
}
