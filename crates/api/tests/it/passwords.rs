//! Changing the own password, and setting a forgotten one anew.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{Answer, HASH, Member, PASSWORD, TestApp};

const CHANGE: &str = "/api/v1/auth/change-password";
const FORGOT: &str = "/api/v1/auth/forgot-password";
const RESET: &str = "/api/v1/auth/reset-password";
const GOOD: &str = "correct horse battery";

/// The application with the budgets of production.
struct Limited(TestApp);

impl Fixture for Limited {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[]).await)
    }
}

/// The application with the other algorithm.
struct Argon(TestApp);

impl Fixture for Argon {
    async fn on(database: TestDatabase) -> Self {
        let settings = [("BACKEND_RATE_LIMIT_ENABLED", "false"), ("BACKEND_PASSWORD_HASHER", "argon2id")];
        Self(TestApp::with(database, &settings).await)
    }
}

async fn change(member: &Member<'_>, old: &str, new: &str) -> Answer {
    member.post_json(CHANGE, &json!({"old_password": old, "new_password": new})).await
}

async fn forgot(app: &TestApp, email: &str) -> Answer {
    let answer = app.post(FORGOT, &json!({"email": email})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

async fn reset(app: &TestApp, token: &str, new: &str) -> Answer {
    app.post(RESET, &json!({"token": token, "new_password": new})).await
}

fn assert_bad_token(answer: &Answer) {
    answer.assert_envelope(400, "Invalid or expired reset token", "Invalid or expired reset token", "rule_violated");
}

fn assert_wrong_password(answer: &Answer) {
    answer.assert_envelope(400, "Current password is incorrect", "Current password is incorrect", "rule_violated");
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

async fn actions(app: &TestApp, org: i64) -> Vec<String> {
    let sql = format!("SELECT action FROM auth.audit_log WHERE org_id = {org} ORDER BY seq");
    app.texts(&sql).await.into_iter().flatten().filter(|action| action.starts_with("auth.password")).collect()
}

/// Item by item: the field, and the type.
fn issues(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 422, "{}", answer.text);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let body = answer.json();
    let items = body["detail"].as_array().unwrap().iter();
    items.map(|item| (text(&item["loc"][1]), text(&item["type"]))).collect()
}

on_both_databases! {
    async fn a_change_ends_all_other_sessions_and_keeps_the_calling_one(app: TestApp) {
        let here = app.member(&[Role::Cashier]).await;
        let there = app.sign_in(&here.email).await;
        app.insert_user(here.org, "colleague@example.com", HASH).await;
        let colleague = app.sign_in("colleague@example.com").await;
        let answer = change(&here, PASSWORD, GOOD).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"message":"Password changed"}"#));
        assert_eq!(answer.one("cache-control"), "no-store");
        assert_eq!((here.get("/auth/me").await.status, there.get("/auth/me").await.status), (200, 401));
        assert_eq!(colleague.get("/auth/me").await.status, 200);
        let reasons = format!("SELECT revoke_reason FROM auth.sessions WHERE user_id = {} AND revoked_at IS NOT NULL", here.user);
        assert_eq!(app.texts(&reasons).await, [Some("password_changed".to_owned())]);
        assert_eq!((app.log_in(&here.email, PASSWORD).await.status, app.log_in(&here.email, GOOD).await.status), (401, 200));
        assert_eq!(actions(&app, here.org).await, ["auth.password_changed"]);
        let notice = app.mails(&here.email, "Your SME Pulse password was changed", 1).await;
        assert!(!notice[0].contains(GOOD) && !notice[0].contains("token"), "{notice:?}");
        let changed_at = format!("SELECT COUNT(*) FROM core.users WHERE id = {} AND password_changed_at IS NOT NULL", here.user);
        assert_eq!(app.numbers(&changed_at).await, [1]);
        assert_eq!(change(&here, GOOD, GOOD).await.status, 200, "the same one is accepted");
    }

    async fn a_wrong_old_password_is_a_400_that_changes_nothing(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let other = app.sign_in(&member.email).await;
        for wrong in ["123457", " 123456", "123456 ", "123456\0", "x", &"y".repeat(900_000), "１２３４５６", GOOD] {
            assert_wrong_password(&change(&member, wrong, GOOD).await);
        }
        app.sql(&format!("UPDATE core.users SET password_hash = 'broken' WHERE id = {}", member.user)).await;
        assert_wrong_password(&change(&member, PASSWORD, GOOD).await);
        assert_eq!((member.get("/auth/me").await.status, other.get("/auth/me").await.status), (200, 200));
        assert_eq!(actions(&app, member.org).await, vec!["auth.password_refused"; 9]);
        assert_eq!(app.mail_count(), 0);
    }

    async fn a_new_password_that_breaks_a_rule_is_a_422_on_its_field(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let local = member.email.split('@').next().unwrap().to_owned();
        forgot(&app, &member.email).await;
        let token = app.reset_token(&member.email, &mut Vec::new()).await;
        let cases: Vec<(Value, &str)> = vec![
            (json!("short77"), "string_too_short"),
            (json!("ööööööö"), "string_too_short"),
            (json!(""), "string_too_short"),
            (json!("x".repeat(73)), "value_error"),
            (json!("ö".repeat(37)), "value_error"),
            (json!("x".repeat(1_000_000)), "value_error"),
            (json!("eight\0eight"), "value_error"),
            (json!("password1"), "value_error"),
            (json!("PassWord1"), "value_error"),
            (json!("1234567890"), "value_error"),
            (json!(member.email), "value_error"),
            (json!(member.email.to_uppercase()), "value_error"),
            (json!(format!("{local}-2026!")), "value_error"),
            (json!(format!("!!!{local}!!!")), "value_error"),
            (json!(12_345_678), "string_type"),
            (json!(["long enough"]), "string_type"),
            (json!({}), "string_type"),
            (Value::Null, "string_type"),
        ];
        for (new, kind) in cases {
            for answer in [
                member.post_json(CHANGE, &json!({"old_password": PASSWORD, "new_password": new})).await,
                app.post(RESET, &json!({"token": token, "new_password": new})).await,
            ] {
                assert_eq!(issues(&answer), [("new_password".to_owned(), kind.to_owned())], "{new:.40}");
                assert!(new.as_str().is_none_or(|new| new.is_empty() || !answer.text.contains(new)), "{new:.40}");
            }
        }
        let missing = member.post_json("/auth/change-password/", &json!({})).await;
        let both = |first: &str, kind: &str| [(first.to_owned(), kind.to_owned()), ("new_password".to_owned(), "missing".to_owned())];
        assert_eq!(issues(&missing), both("old_password", "missing"));
        assert_eq!(issues(&app.post("/auth/reset-password/", &json!({"token": ""})).await), both("token", "string_too_short"));
        assert_eq!(issues(&app.post(RESET, &json!({"token": 7})).await), both("token", "string_type"));
        assert_eq!(reset(&app, "nonsense", "short").await.status, 422, "the inputs come before the token");
        assert_eq!(reset(&app, &token, "ungewöhnlich 🐎").await.status, 200, "none of it has used the token up");
    }

    async fn of_parallel_changes_one_wins_and_the_others_are_told(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let passwords: Vec<String> = (0..6).map(|number| format!("{GOOD} {number}")).collect();
        let answers = join_all(passwords.iter().map(|new| change(&member, PASSWORD, new))).await;
        assert_eq!(statuses(&answers), [200, 400, 400, 400, 400, 400]);
        for (answer, password) in answers.iter().zip(&passwords) {
            let expected = if answer.status == 200 { 200 } else { 401 };
            assert_eq!(app.log_in(&member.email, password).await.status, expected);
        }
        let recorded = actions(&app, member.org).await;
        let count = |action: &str| recorded.iter().filter(|recorded| *recorded == action).count();
        assert_eq!((count("auth.password_changed"), count("auth.password_refused"), recorded.len()), (1, 5, 6));
    }

    async fn no_log_in_with_the_old_password_outlives_a_change(app: TestApp) {
        for _ in 0..4 {
            let member = app.member(&[Role::Owner]).await;
            let attempts = join_all((0..8).map(|_| app.log_in(&member.email, PASSWORD)));
            let (attempts, changed) = tokio::join!(attempts, change(&member, PASSWORD, GOOD));
            assert_eq!(changed.status, 200);
            for answer in attempts.iter().filter(|answer| answer.status == 200) {
                assert_eq!(app.me(answer.json()["access_token"].as_str().unwrap()).await.status, 401);
            }
            let live = "SELECT COUNT(*) FROM auth.sessions WHERE revoked_at IS NULL AND user_id =";
            assert_eq!(app.numbers(&format!("{live} {}", member.user)).await, [1]);
        }
    }

    async fn only_wrong_old_passwords_count_and_they_count_per_user(limited: Limited) {
        let app = &limited.0;
        let member = app.member(&[Role::Owner]).await;
        let stranger = app.member(&[Role::Owner]).await;
        for _ in 0..7 {
            let right = change(&member, PASSWORD, PASSWORD_AGAIN).await;
            assert_eq!((right.status, right.one("ratelimit")), (200, "\"change-password\";r=5;t=60"));
            assert_eq!(change(&member, PASSWORD_AGAIN, "short").await.status, 422);
            app.sql(&format!("UPDATE core.users SET password_hash = '{HASH}' WHERE id = {}", member.user)).await;
        }
        assert_eq!(change(&member, "wrong", GOOD).await.one("ratelimit"), "\"change-password\";r=4;t=60");
        app.clock.advance(Duration::from_secs(10));
        assert_eq!(change(&member, PASSWORD, &member.email).await.one("ratelimit"), "\"change-password\";r=4;t=50");
        let answers = join_all((0..12).map(|_| change(&member, "wrong", GOOD))).await;
        assert_eq!(statuses(&answers), [[400; 4].as_slice(), &[429; 8]].concat());
        let refused = member.post_json("/auth/change-password/", &json!({"old_password": PASSWORD, "new_password": GOOD})).await;
        assert_eq!((refused.status, refused.one("retry-after")), (429, "60"));
        assert_eq!(refused.one("ratelimit-policy"), "\"change-password\";q=5;w=60");
        assert_eq!(change(&stranger, PASSWORD, GOOD).await.status, 200);
        app.clock.advance(Duration::from_secs(61));
        assert_eq!(change(&member, PASSWORD, GOOD).await.status, 200);
    }

    async fn a_link_sets_a_new_password_once_and_ends_all_sessions(app: TestApp) {
        let member = app.member(&[Role::Accountant]).await;
        let answer = forgot(&app, &format!(" {} ", member.email.to_uppercase())).await;
        assert_eq!(answer.json()["email"], format!(" {} ", member.email.to_uppercase()), "as it was sent");
        let token = app.reset_token(&member.email, &mut Vec::new()).await;
        let stored = app.texts("SELECT token_hash FROM auth.password_reset_tokens").await;
        assert!(stored.len() == 1 && stored[0].as_ref().is_some_and(|hash| hash.len() == 64 && !token.contains(hash)));
        let answers = join_all((0..8).map(|_| reset(&app, &token, GOOD))).await;
        assert_eq!(statuses(&answers), [200, 400, 400, 400, 400, 400, 400, 400]);
        answers.iter().filter(|answer| answer.status == 400).for_each(assert_bad_token);
        assert_eq!(member.get("/auth/me").await.status, 401);
        assert_eq!(app.texts("SELECT revoke_reason FROM auth.sessions").await, [Some("password_reset".to_owned())]);
        assert_eq!((app.log_in(&member.email, PASSWORD).await.status, app.log_in(&member.email, GOOD).await.status), (401, 200));
        assert_eq!(actions(&app, member.org).await, ["auth.password_reset_requested", "auth.password_reset"]);
        app.mails(&member.email, "Your SME Pulse password was changed", 1).await;
        let trail = app.texts("SELECT CAST(after AS text) FROM auth.audit_log").await;
        assert!(!format!("{trail:?}").contains(&token));
    }

    async fn newer_links_changes_and_time_void_a_link(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let mut seen = Vec::new();
        forgot(&app, &member.email).await;
        let first = app.reset_token(&member.email, &mut seen).await;
        forgot(&app, &member.email).await;
        let second = app.reset_token(&member.email, &mut seen).await;
        assert_bad_token(&reset(&app, &first, GOOD).await);
        app.clock.advance(Duration::from_secs(30 * 60 - 1));
        assert_eq!(reset(&app, &second, GOOD).await.status, 200, "in its last second");
        let again = app.log_in(&member.email, GOOD).await;
        assert_eq!(again.status, 200);

        forgot(&app, &member.email).await;
        let third = app.reset_token(&member.email, &mut seen).await;
        app.clock.advance(Duration::from_mins(30));
        assert_bad_token(&reset(&app, &third, GOOD).await);

        forgot(&app, &member.email).await;
        let fourth = app.reset_token(&member.email, &mut seen).await;
        let token = app.log_in(&member.email, GOOD).await.json()["access_token"].as_str().unwrap().to_owned();
        let body = json!({"old_password": GOOD, "new_password": "another good one"});
        assert_eq!(TestApp::send(app.request("POST", CHANGE).bearer_auth(&token).json(&body)).await.status, 200);
        assert_bad_token(&reset(&app, &fourth, GOOD).await);
    }

    async fn known_unknown_and_barred_addresses_get_one_answer_and_only_the_known_get_mail(app: TestApp) {
        let [known, inactive, suspended] = [app.member(&[]).await, app.member(&[]).await, app.member(&[]).await];
        app.sql(&format!("UPDATE core.users SET status = 'inactive' WHERE id = {}", inactive.user)).await;
        app.sql(&format!("UPDATE core.organizations SET status = 'inactive' WHERE id = {}", suspended.org)).await;
        let mut answers = Vec::new();
        for email in ["nobody@example.com", &inactive.email, &suspended.email, &known.email] {
            let length = format!("content-length: \"{}\"", 95 + email.len());
            let answer = forgot(&app, email).await.comparable();
            assert!(answer.contains(&length), "{answer}");
            answers.push(answer.replace(email, "ADDRESS").replace(&length, "LENGTH"));
        }
        assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
        assert!(answers[0].ends_with(r#""email":"ADDRESS"}"#), "{}", answers[0]);
        // Errands are done in order: when the last has its mail, the others have been through.
        let token = app.reset_token(&known.email, &mut Vec::new()).await;
        assert_eq!((app.mail_count(), app.numbers("SELECT COUNT(*) FROM auth.password_reset_tokens").await), (1, vec![1]));
        app.sql(&format!("UPDATE core.users SET status = 'inactive' WHERE id = {}", known.user)).await;
        assert_bad_token(&reset(&app, &token, GOOD).await);
        for odd in [json!({}), json!({"email": null}), json!({"email": 1}), json!({"email": "x"}), json!({"email": "a\0@example.com"})] {
            assert_eq!(issues(&app.post("/auth/forgot-password/", &odd).await)[0].0, "email");
        }
    }

    async fn tokens_of_another_kind_open_nothing(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let refresh = app.log_in(&member.email, PASSWORD).await.json()["refresh_token"].as_str().unwrap().to_owned();
        forgot(&app, &member.email).await;
        let token = app.reset_token(&member.email, &mut Vec::new()).await;
        let stored = app.texts("SELECT token_hash FROM auth.password_reset_tokens").await[0].clone().unwrap();
        let encoded = refresh.replace("spr_", "spw_");
        let padded = format!("{token}=");
        let lower = token.to_lowercase();
        let large = "x".repeat(1_000_000);
        let dressed = format!(" {token}");
        for odd in [
            &member.token, &refresh, &encoded, &stored, &padded, &lower, &large, &dressed, "x", "spw_", "🐎", "' OR 1=1 --",
        ] {
            assert_bad_token(&reset(&app, odd, GOOD).await);
        }
        for odd in [&token, &refresh] {
            assert_eq!(app.me(odd).await.status, 401);
        }
        for path in [format!("/reset-password?token={token}"), format!("{RESET}?token={token}")] {
            assert!(matches!(app.get(&path).await.status, 404 | 405), "{path}");
        }
        assert_eq!(reset(&app, &token, GOOD).await.status, 200, "opening the link has used nothing up");
    }

    async fn the_link_never_holds_what_a_request_says(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let body = json!({"email": member.email});
        let request = app.request("POST", FORGOT).json(&body).header("host", "evil.example");
        let request = request.header("x-forwarded-host", "evil.example").header("origin", "https://evil.example");
        assert_eq!(TestApp::send(request.header("forwarded", "host=evil.example")).await.status, 200);
        let mail = app.mails(&member.email, "Set a new password", 1).await.remove(0);
        assert!(!mail.contains("evil") && mail.contains("\r\nhttp://localhost:3000/reset-password?token=spw_"), "{mail}");
        assert!(mail.contains("Content-Type: text/plain") && mail.contains("From: \"SME Pulse\" <no-reply@localhost>"), "{mail}");
    }

    async fn forgot_and_reset_share_one_budget_over_all_paths(limited: Limited) {
        let app = &limited.0;
        let paths = [FORGOT, "/auth/forgot-password", RESET, "/auth/reset-password/", "/auth/forgot-password/"];
        for (left, path) in (0..5).rev().zip(paths) {
            let answer = app.post(path, &json!({})).await;
            assert_eq!((answer.status, answer.one("ratelimit")), (422, &*format!("\"reset\";r={left};t=60")), "{path}");
            assert_eq!(answer.one("ratelimit-policy"), "\"reset\";q=5;w=60");
        }
        for path in paths {
            let answer = app.post(path, &json!({"email": "admin@sme.com"})).await;
            assert_eq!((answer.status, answer.one("retry-after")), (429, "60"), "{path}");
        }
        assert_eq!(app.log_in("admin@sme.com", PASSWORD).await.status, 200, "log-ins have a budget of their own");
    }

    async fn with_argon2id_old_hashes_log_in_and_are_renewed_and_long_passwords_fit(argon: Argon) {
        let app = &argon.0;
        let member = app.member(&[Role::Owner]).await;
        let stored = || async { app.texts(&format!("SELECT password_hash FROM core.users WHERE id = {}", member.user)).await.remove(0).unwrap() };
        assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "the log-in has renewed it");
        assert_eq!(app.log_in(&member.email, PASSWORD).await.status, 200);
        assert_eq!(app.log_in(&member.email, "1234567").await.status, 401);
        let long = "ü".repeat(512);
        assert_eq!(change(&member, PASSWORD, &format!("{long}x")).await.status, 422);
        assert_eq!(change(&member, PASSWORD, &long).await.status, 200);
        assert_eq!((app.log_in(&member.email, &long).await.status, app.log_in(&member.email, &long[..1022]).await.status), (200, 401));
        let absurd = stored().await.replace("m=19456", "m=4194304");
        app.sql(&format!("UPDATE core.users SET password_hash = '{absurd}' WHERE id = {}", member.user)).await;
        assert_eq!(app.log_in(&member.email, &long).await.status, 401);
    }
}

/// As bad as the one every test user has, but long enough and on no list.
const PASSWORD_AGAIN: &str = "one two three four";
