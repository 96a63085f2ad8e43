//! The caller's own account: password, second factor, and the proof that some changes ask for.

use std::time::Duration;

use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::Console;
use crate::support::{Holder, PASSWORD, TestApp};

on_both_databases! {
    async fn the_password_is_changed_with_the_old_one(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        console.press("My account").await;
        console.enter("old_password", "not the old one").await;
        console.enter("new_password", "a better password").await;
        console.press("Change password").await;
        console.sees("Current password is incorrect").await;
        console.enter("old_password", PASSWORD).await;
        console.press("Change password").await;
        console.wait_for("document.querySelector('#status p')").await;
        let left = console.eval("[...document.querySelectorAll('[type=password]')].map(e => e.value).join('')").await;
        assert_eq!(left, "", "no password stays in the page");
        assert_eq!(member.get("/api/v1/auth/me").await.status, 401, "other sessions have ended");
        assert_eq!(app.log_in(&member.email, "a better password").await.status, 200);
        console.press("Sessions").await;
        console.sees("This session").await;
        console.assert_clean().await;
    }

    async fn a_second_factor_is_set_up_renewed_and_turned_off(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let email = member.email.clone();
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&email).await;
        console.press("My account").await;
        console.press("Set up").await;
        console.wait_for("document.querySelector('dialog .qr')?.naturalWidth > 0").await;
        console.picture("factor").await;
        let secret = console.eval("document.querySelector('dialog code').textContent").await.as_str().unwrap().to_owned();
        let holder = Holder { app: &app, member, secret, recovery_codes: Vec::new() };
        console.enter("code", &holder.wrong_code()).await;
        console.press("Turn on").await;
        console.sees("The code or password is incorrect").await;
        console.enter("code", &holder.code_in(0)).await;
        console.press("Turn on").await;
        console.sees("they are not shown again").await;
        assert_eq!(console.eval("document.querySelectorAll('dialog li').length").await, 10);
        console.picture("recovery-codes").await;
        console.press("Done").await;
        console.sees("Recovery codes left: 10.").await;
        assert_eq!(app.log_in(&email, PASSWORD).await.json()["mfa_required"], json!(true));

        // Some time later a proof is asked for, wrong ones are refused in place, and then the call is repeated.
        app.clock.advance(Duration::from_mins(20));
        console.press("New recovery codes").await;
        console.sees("Confirm that it is you").await;
        console.enter("code", &holder.wrong_code()).await;
        console.press("Confirm").await;
        console.sees("The code or password is incorrect").await;
        console.picture("step-up").await;
        console.enter("code", &holder.next_code()).await;
        console.press("Confirm").await;
        console.wait_for("document.querySelectorAll('dialog li').length === 10").await;
        console.press("Done").await;

        console.press("Turn off").await;
        console.enter("code", &holder.next_code()).await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.sees("The second factor is off.").await;
        assert!(app.log_in(&email, PASSWORD).await.json()["access_token"].is_string());
        console.assert_clean().await;
    }

    async fn who_does_not_prove_themselves_changes_nothing(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        app.clock.advance(Duration::from_mins(20));
        console.press("My account").await;
        console.press("Set up").await;
        console.wait_for("document.querySelector('dialog [name=password]')").await;
        console.run(|browser| browser.press("Escape", 27)).await;
        console.sees("Nothing was changed, because you did not confirm who you are.").await;
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.mfa_factors").await, [0]);
        console.press("Set up").await;
        console.enter("password", PASSWORD).await;
        console.press("Confirm").await;
        console.wait_for("document.querySelector('dialog .qr')").await;
        console.assert_clean().await;
    }
}
