//! People, invitations and organizations. Where the application has no such routes yet, they are played in the page.

use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::Console;
use crate::support::{PASSWORD, TestApp};

const NAME: &str = "Ada <b>Lovelace</b>";

/// Whether a row of the table has all of these texts.
fn row(texts: &[&str]) -> String {
    let checks: Vec<_> = texts.iter().map(|text| format!("r.innerText.includes({text:?})")).collect();
    format!("[...document.querySelectorAll('tbody tr')].some(r => {})", checks.join(" && "))
}

on_both_databases! {
    async fn people_are_added_found_changed_and_deactivated(app: TestApp) {
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in("admin@sme.com").await;
        console.sees("admin@sme.com").await;
        console.press("Add a person").await;
        console.enter("full_name", NAME).await;
        console.enter("email", "no address").await;
        console.enter("password", "correct horse battery").await;
        console.press("Add").await;
        console.sees("value is not a valid email address").await;
        console.enter("email", "admin@sme.com").await;
        console.press("Add").await;
        console.sees("Email already registered").await;
        console.enter("email", "ada@example.com").await;
        console.press("Add").await;
        console.wait_for(&row(&[NAME, "ada@example.com", "Cashier", "Active"])).await;
        console.wait_for("document.activeElement.textContent === 'Add a person'").await;

        console.enter("search", "ADA@").await;
        console.press("Apply").await;
        console.sees("1–1 of 1").await;
        console.picture("people").await;
        console.press(&format!("Edit: {NAME}")).await;
        console.enter("full_name", "Ada King").await;
        console.run(|browser| browser.click("dialog [value=accountant]")).await;
        console.press("Save").await;
        console.wait_for(&row(&["Ada King", "Accountant, Cashier"])).await;

        console.press("Reset password: Ada King").await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.sees("It is not shown again.").await;
        let password = console.eval("document.querySelector('dialog code').textContent").await.as_str().unwrap().to_owned();
        assert_eq!(password.chars().count(), 16);
        assert_eq!(app.log_in("ada@example.com", &password).await.status, 200);
        console.press("Done").await;
        console.wait_for("!document.querySelector('dialog')").await;
        assert_eq!(console.eval(&format!("document.documentElement.innerHTML.includes({password:?})")).await, false);

        console.press("Deactivate: Ada King").await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.wait_for(&row(&["Ada King", "Inactive", "Activate"])).await;
        console.press("Activate: Ada King").await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.wait_for(&row(&["Ada King", "Deactivate"])).await;
        console.enter("search", "nobody at all").await;
        console.press("Apply").await;
        console.sees("Nobody matches.").await;
        console.assert_clean().await;
    }

    async fn invitations_are_sent_again_and_revoked(app: TestApp) {
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in("admin@sme.com").await;
        console.press("Invitations").await;
        console.press("Invite somebody").await;
        console.enter("email", "grace@example.com").await;
        console.press("Send the invitation").await;
        console.wait_for(&row(&["grace@example.com", "Cashier", "Pending"])).await;
        console.picture("invitations").await;
        console.press("Send again: grace@example.com").await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.sees("A new link is on its way to grace@example.com.").await;
        console.press("Revoke: grace@example.com").await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.wait_for(&row(&["grace@example.com", "Revoked"])).await;
        console.assert_clean().await;
    }

    async fn an_invited_person_joins_by_the_link(app: TestApp) {
        let Some(mut console) = Console::open(&app) else { return };
        let invitation = serde_json::json!({"email": "new@example.com", "role": "accountant"});
        let sent = app.admin().await.post_json("/api/v1/invitations", &invitation).await;
        assert_eq!(sent.status, 201, "{}", sent.text);
        let mail = app.mails("new@example.com", "", 1).await.remove(0);
        let token = mail.split("/invitation?token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        console.go(&format!("/console/invitation?token={token}")).await;
        console.sees("You are invited to join").await;
        console.sees("Accountant").await;
        assert_eq!(console.eval("location.search").await, "", "the token has left the address");
        console.picture("invitation").await;
        console.enter("full_name", NAME).await;
        console.enter("password", "correct horse battery").await;
        console.press("Join").await;
        console.sees(&format!("Welcome, {NAME}.")).await;
        assert_eq!(app.log_in("new@example.com", "correct horse battery").await.status, 200);
        console.go("/console/invitation?token=nonsense").await;
        console.wait_for("document.querySelector('main [role=alert]')").await;
        console.assert_clean().await;
    }

    async fn a_member_of_another_organization_joins_and_goes_back_and_forth(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        let invitation = serde_json::json!({"email": member.email, "role": "admin"});
        let sent = app.admin().await.post_json("/api/v1/invitations", &invitation).await;
        assert_eq!(sent.status, 201, "{}", sent.text);
        let mail = app.mails(&member.email, "", 1).await.remove(0);
        let token = mail.split("/invitation?token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        let Some(mut console) = Console::open(&app) else { return };
        console.go(&format!("/console/invitation?token={token}")).await;
        console.press("Sign in to join").await;
        console.enter("email", &member.email).await;
        console.enter("password", PASSWORD).await;
        console.press("Sign in").await;
        console.sees(&format!("You are signed in as {}.", member.email)).await;
        console.press("Join").await;
        console.wait_for("document.querySelector('#organization').textContent === 'SME Demo Company'").await;
        console.wait_for(&row(&["admin@sme.com"])).await;
        console.press("Organization").await;
        console.sees("You are here").await;
        console.picture("organizations").await;
        console.run(|browser| browser.click("button[aria-label^='Switch: Org']")).await;
        console.wait_for("document.querySelector('#organization').textContent.startsWith('Org')").await;
        assert_eq!(console.navigation().await, ["Organization", "Sessions", "My account"]);
        // Each session that was left behind has ended: the test's own one and this one are there.
        console.press("Sessions").await;
        console.wait_for("document.querySelectorAll('tbody tr').length === 2").await;
        console.assert_clean().await;
    }
}
