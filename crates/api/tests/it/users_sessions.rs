//! What changes of people do to their sessions, links and tokens: from the next request on.

use std::time::Duration;

use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{PASSWORD, TestApp, USERS, assert_refused, user_path};

on_both_databases! {
    async fn a_change_of_roles_counts_for_the_next_request_of_a_live_token(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let user = app.colleague(owner.org, "ann@example.com", &[Role::Cashier]).await;
        let path = user_path(user.user);
        for (roles, status) in [(json!(["admin"]), 200), (json!(["accountant"]), 403), (json!(["owner"]), 200), (json!(["cashier"]), 403)] {
            assert_eq!(owner.put(&path, &json!({"roles": roles})).await.status, 200);
            assert_eq!(user.get(USERS).await.status, status, "{roles}");
            assert_eq!(app.me(&user.token).await.json()["roles"], roles);
        }
    }

    async fn deactivation_ends_every_session_link_and_half_log_in_and_they_stay_ended(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for (round, by_delete) in [true, false].into_iter().enumerate() {
            let email = format!("ann{round}@example.com");
            let (one, two) = (app.colleague(owner.org, &email, &[Role::Cashier]).await, app.sign_in(&email).await);
            app.post("/api/v1/auth/forgot-password", &json!({"email": email})).await;
            let link = app.reset_token(&email, &mut Vec::new()).await;
            let path = user_path(one.user);
            let status = if by_delete { owner.delete(&path).await.status } else { owner.put(&path, &json!({"status": "inactive"})).await.status };
            assert_eq!(status, if by_delete { 204 } else { 200 });
            for member in [&one, &two] {
                assert_eq!(app.me(&member.token).await.status, 401);
                assert_eq!(app.refresh(&member.refresh_token).await.status, 401);
            }
            assert_eq!(app.log_in(&email, PASSWORD).await.status, 401);
            let reasons = app.texts(&format!("SELECT DISTINCT revoke_reason FROM auth.sessions WHERE user_id = {}", one.user)).await;
            assert_eq!(reasons, [Some("deactivated".to_owned())]);
            assert_eq!(owner.put(&path, &json!({"status": "active"})).await.status, 200);
            for member in [&one, &two] {
                assert_eq!(app.me(&member.token).await.status, 401, "an old session does not come back");
                assert_eq!(app.refresh(&member.refresh_token).await.status, 401);
            }
            let reset = app.post("/api/v1/auth/reset-password", &json!({"token": link, "new_password": "another passphrase"})).await;
            assert_eq!(reset.json()["detail"], "Invalid or expired reset token");
            assert_eq!(app.log_in(&email, PASSWORD).await.status, 200);
        }
        assert_eq!(app.me(&owner.token).await.status, 200);
    }

    async fn a_half_log_in_dies_with_a_new_password(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let user = app.colleague(owner.org, "ann@example.com", &[Role::Cashier]).await;
        let holder = app.enrolled(user).await;
        let half = holder.half().await;
        assert_eq!(owner.post(&format!("{}/reset-password", user_path(holder.member.user))).await.status, 200);
        assert_refused(&app.verify(&half, &holder.next_code()).await);
    }

    async fn a_reset_without_a_password_draws_one_that_works_and_tells_the_user(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let user = app.colleague(owner.org, "ann@example.com", &[Role::Cashier]).await;
        app.post("/api/v1/auth/forgot-password", &json!({"email": "ann@example.com"})).await;
        let link = app.reset_token("ann@example.com", &mut Vec::new()).await;
        let path = format!("{}/reset-password", user_path(user.user));
        let mut drawn = Vec::new();
        for body in ["", "{}", "null", r#"{"new_password":null}"#] {
            let answer = TestApp::send(owner.request("POST", &path).header("content-type", "application/json").body(body)).await;
            let password = answer.json()["temporary_password"].as_str().unwrap().to_owned();
            assert_eq!((answer.status, answer.text), (200, format!(r#"{{"message":"Password reset","temporary_password":"{password}"}}"#)));
            assert!(password.len() == 16 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{password}");
            assert_eq!(app.log_in("ann@example.com", &password).await.status, 200);
            drawn.push(password);
        }
        assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2]);
        assert_eq!((app.me(&user.token).await.status, app.log_in("ann@example.com", PASSWORD).await.status), (401, 401));
        assert_eq!(app.log_in("ann@example.com", &drawn[0]).await.status, 401);
        let reset = app.post("/api/v1/auth/reset-password", &json!({"token": link, "new_password": "another passphrase"})).await;
        assert_eq!(reset.status, 400, "open links are void");
        let mails = app.mails("ann@example.com", "A new password was set", 4).await;
        assert!(mails.iter().all(|mail| drawn.iter().all(|password| !mail.contains(password))), "{mails:?}");

        let set = owner.post_json(&path, &json!({"new_password": "another passphrase"})).await;
        assert_eq!((set.status, set.text.as_str()), (200, r#"{"message":"Password reset"}"#));
        assert_eq!(app.log_in("ann@example.com", "another passphrase").await.status, 200);
        for (bad, msg) in [
            (json!("short"), "String should have at least 8 characters"),
            (json!(""), "String should have at least 1 character"),
            (json!("password1"), "Password is one of the most common ones"),
            (json!("ann@example.com 7"), "Password must not be your name or e-mail address"),
            (json!(5), "Input should be a valid string"),
        ] {
            let answer = owner.post_json(&path, &json!({"new_password": bad})).await;
            let item = &answer.json()["detail"][0];
            assert_eq!((answer.status, &item["loc"], item["msg"].as_str()), (422, &json!(["body", "new_password"]), Some(msg)));
        }
        for body in ["[]", "nul", "{"] {
            assert_eq!(TestApp::send(owner.request("POST", &path).header("content-type", "application/json").body(body)).await.status, 422);
        }
        assert_eq!(app.log_in("ann@example.com", "another passphrase").await.status, 200);
    }

    async fn a_reset_of_the_own_password_keeps_the_calling_session_and_needs_a_recent_proof(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let elsewhere = app.sign_in(&owner.email).await;
        let path = format!("{}/reset-password", user_path(owner.user));
        let new = json!({"new_password": "another passphrase"});
        assert_eq!(owner.post_json(&path, &new).await.status, 200);
        assert_eq!((app.me(&owner.token).await.status, app.me(&elsewhere.token).await.status), (200, 401));
        app.mails(&owner.email, "Your SME Pulse password was changed", 1).await;
        app.clock.advance(Duration::from_mins(15));
        let late = owner.post_json(&path, &json!({"new_password": "a third passphrase"})).await;
        assert_eq!((late.status, late.json()["error_code"].as_str()), (403, Some("step_up_required")));
        assert_eq!(app.log_in(&owner.email, "another passphrase").await.status, 200);
    }
}
