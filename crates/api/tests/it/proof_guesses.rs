//! Guessing what comes after the first half of a log-in: codes of a second factor, and the password of somebody who is
//! signed in. Each way counts, and nobody slows an owner down on a device or in a session of their own.

use std::time::Duration;

use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{Answer, Member, PASSWORD, TestApp, VERIFY, assert_refused, assert_wrong, token_in};

const NEW: &str = "a much better one 7";
const CHANGE: &str = "/api/v1/auth/change-password";
const STEP_UP: &str = "/api/v1/auth/step-up";

/// Budgets per client and user so large that only the guesses at one account count.
struct Roomy(TestApp);

impl Fixture for Roomy {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[("BACKEND_RATE_LIMIT_REQUESTS", "1000")]).await)
    }
}

fn assert_slowed(answer: &Answer, seconds: u64) {
    assert_eq!((answer.status, answer.one("retry-after")), (429, seconds.to_string().as_str()), "{}", answer.text);
    assert_eq!(answer.json()["retry_after"], seconds);
}

async fn change(member: &Member<'_>, old: &str) -> Answer {
    member.send(CHANGE, &json!({"old_password": old, "new_password": NEW})).await
}

on_both_databases! {
    async fn codes_cannot_be_guessed_without_end_and_the_owners_device_is_not_slowed_down(roomy: Roomy) {
        let app = &roomy.0;
        let holder = app.holder(&[Role::Owner]).await;
        let done = holder.sign_in().await;
        let device = done["device_token"].as_str().unwrap();
        let mut token = String::new();
        for guess in 0..11 {
            // A log-in takes five codes.
            if guess % 5 == 0 {
                token = holder.half().await;
            }
            assert_refused(&app.verify(&token, &holder.wrong_code()).await);
        }
        let token = holder.half().await;
        let right = holder.next_code();
        // The wait of a second is over with the step of the code; one more wrong guess makes it two.
        assert_refused(&app.verify(&holder.half().await, &holder.wrong_code()).await);
        assert_slowed(&app.verify(&token, &right).await, 2);
        let known = app.request("POST", VERIFY).header("x-device-token", device);
        let answer = TestApp::send(known.json(&json!({"mfa_token": token, "code": right}))).await;
        assert_eq!(answer.status, 200, "a code that was refused unseen still counts: {}", answer.text);
        let slowed = format!(
            "SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%.guessing_slowed' AND org_id = {}",
            holder.member.org
        );
        assert_eq!(app.numbers(&slowed).await, [1]);
    }

    async fn the_own_password_is_guessed_at_together_whatever_asks_for_it_and_each_session_for_itself(roomy: Roomy) {
        let app = &roomy.0;
        let thief = app.member(&[Role::Cashier]).await;
        let owner = app.sign_in(&thief.email).await;
        for guess in 0..11 {
            if guess % 2 == 0 {
                assert_eq!(change(&thief, "wrong").await.status, 400);
            } else {
                assert_wrong(&thief.send(STEP_UP, &json!({"password": "wrong"})).await);
            }
        }
        assert_slowed(&change(&thief, "wrong").await, 1);
        assert_slowed(&thief.send(STEP_UP, &json!({"password": PASSWORD})).await, 1);
        assert_eq!(owner.send(STEP_UP, &json!({"password": PASSWORD})).await.status, 200);
        assert_eq!(app.log_in(&thief.email, PASSWORD).await.status, 200, "log-ins are another counter");
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(change(&thief, "wrong").await.status, 400);
        assert_slowed(&change(&thief, PASSWORD).await, 2);
        app.clock.advance(Duration::from_secs(2));
        assert_eq!(thief.send(STEP_UP, &json!({"password": PASSWORD})).await.status, 200);
        assert_eq!(change(&thief, "wrong").await.status, 400, "what was right clears the counter");
        assert_eq!(change(&thief, PASSWORD).await.status, 200);
    }

    async fn with_a_second_factor_a_change_of_the_password_needs_it_shown_lately(roomy: Roomy) {
        let app = &roomy.0;
        let plain = app.member(&[Role::Cashier]).await;
        let holder = app.holder(&[Role::Owner]).await;
        app.clock.advance(Duration::from_mins(16));
        assert_eq!(change(&plain, PASSWORD).await.status, 200, "the old password is a proof");
        let refused = change(&holder.member, PASSWORD).await;
        let text = "Please confirm who you are to continue";
        refused.assert_envelope(403, text, text, "step_up_required");
        assert_eq!(
            refused.one("www-authenticate"),
            r#"Bearer error="insufficient_user_authentication", max_age="900""#
        );
        let proved = holder.member.send(STEP_UP, &json!({"code": holder.code_in(0)})).await;
        assert_eq!(proved.status, 200, "{}", proved.text);
        assert_eq!(change(&holder.member, PASSWORD).await.status, 200);
    }

    async fn devices_that_knew_an_earlier_password_share_one_count(roomy: Roomy) {
        let app = &roomy.0;
        let member = app.member(&[Role::Cashier]).await;
        let log_in = async |password: &str, device: Option<&str>| {
            let request = app.request("POST", "/api/v1/auth/login");
            let request = device.into_iter().fold(request, |request, device| request.header("x-device-token", device));
            TestApp::send(request.json(&json!({"email": member.email, "password": password}))).await
        };
        let device = |answer: &Answer| answer.json()["device_token"].as_str().unwrap().to_owned();
        let mut old = Vec::new();
        for _ in 0..4 {
            old.push(device(&log_in(PASSWORD, None).await));
        }
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(change(&member, PASSWORD).await.status, 200);
        app.clock.advance(Duration::from_secs(1));
        let current = device(&log_in(NEW, None).await);
        for guess in 0..11 {
            assert_eq!(log_in("wrong", Some(&old[guess % 3])).await.status, 401, "{guess}");
        }
        assert_slowed(&log_in("wrong", Some(&old[3])).await, 1);
        assert_slowed(&log_in(NEW, Some(&old[0])).await, 1);
        assert_eq!(log_in(NEW, Some(&current)).await.status, 200);
        assert_eq!(log_in(NEW, None).await.status, 200, "strangers have a count of their own");
        app.clock.advance(Duration::from_secs(1));
        let again = device(&log_in(NEW, Some(&old[0])).await);
        assert_eq!(log_in("wrong", Some(&again)).await.status, 401, "with the new password it is a device of its own again");
    }

    async fn links_asked_for_without_end_leave_the_owner_one_that_works(roomy: Roomy) {
        let app = &roomy.0;
        let (victim, other) = (app.member(&[Role::Cashier]).await, app.member(&[Role::Cashier]).await);
        let mut expected = None;
        for number in 0..31 {
            let email = if number == 30 { &other.email } else { &victim.email };
            let answer = app.post("/auth/forgot-password", &json!({"email": email})).await;
            let text = answer.text.replace(email.as_str(), "");
            assert_eq!((answer.status, &text), (200, &*expected.get_or_insert_with(|| text.clone())), "{number}");
        }
        // One after the other: when the last one's mail is there, all that came before are done.
        app.mails(&other.email, "Set a new password", 1).await;
        let mails = app.mails(&victim.email, "Set a new password", 11).await;
        assert_eq!(mails.len(), 11);
        let mut statuses = Vec::new();
        for mail in &mails {
            let body = json!({"token": token_in(mail), "new_password": NEW});
            statuses.push(app.post("/auth/reset-password", &body).await.status);
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200], vec![400; 10]].concat());
        let recorded = format!(
            "SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%reset_requested' AND org_id = {}",
            victim.org
        );
        assert_eq!(app.numbers(&recorded).await, [11]);
    }

    async fn a_half_log_in_does_not_outlive_a_change_of_the_password(roomy: Roomy) {
        let app = &roomy.0;
        let holder = app.holder(&[Role::Owner]).await;
        // At the very same instant, so that no comparison of times can tell.
        let token = holder.half().await;
        assert_eq!(change(&holder.member, PASSWORD).await.status, 200);
        assert_refused(&app.verify(&token, &holder.next_code()).await);
        let asked = "SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%factor_asked' AND org_id = ";
        assert_eq!(app.numbers(&format!("{asked}{}", holder.member.org)).await, [1]);
        for subject in ["Your SME Pulse account has a second factor", "Your SME Pulse password was changed"] {
            app.mails(&holder.member.email, subject, 1).await;
        }
    }

    async fn devices_made_with_the_password_alone_do_not_multiply_the_guesses_at_codes(roomy: Roomy) {
        let app = &roomy.0;
        let member = app.member(&[Role::Owner]).await;
        let log_in = async || app.log_in(&member.email, PASSWORD).await.json();
        let mut hoard = Vec::new();
        for _ in 0..4 {
            hoard.push(log_in().await["device_token"].as_str().unwrap().to_owned());
        }
        let holder = app.enrolled(member).await;
        let (mut refused, mut slowed, mut token) = (0, 0, String::new());
        for guess in 0..20 {
            if guess % 5 == 0 {
                token = holder.half().await;
            }
            let request = app.request("POST", VERIFY).header("x-device-token", &hoard[guess % 4]);
            let answer = TestApp::send(request.json(&json!({"mfa_token": token, "code": holder.wrong_code()}))).await;
            match answer.status {
                401 => refused += 1,
                429 => slowed += 1,
                other => panic!("{other}: {}", answer.text),
            }
        }
        assert_eq!((refused, slowed), (11, 9));
    }
}
