//! Signing in and out: by keyboard alone, with a second factor, in several tabs, past the end of a token.

use std::time::Duration;

use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{TestDatabase, on_both_databases};

use super::Console;
use crate::{
    chromium::Browser,
    support::{PASSWORD, TestApp},
};

const REFRESHES: &str = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/auth/refresh')).length";

on_both_databases! {
    async fn who_signs_in_sees_what_their_roles_allow_and_nothing_more(app: TestApp) {
        let manages = ["People", "Invitations", "Audit trail", "Organization", "Sessions", "My account"];
        for (roles, expected) in [
            (vec![Role::Owner], &manages[..]),
            (vec![Role::Admin], &manages[..]),
            (vec![Role::Accountant], &manages[3..]),
            (vec![Role::Cashier], &manages[3..]),
            (vec![], &manages[3..]),
        ] {
            let email = app.member(&roles).await.email;
            let Some(mut console) = Console::open(&app) else { return };
            console.sign_in(&email).await;
            assert_eq!(console.navigation().await, expected, "{roles:?}");
            // A link to what the roles do not allow leads to what they do.
            console.go("/console/audit").await;
            console.wait_for("document.querySelector('#navigation [aria-current]')").await;
            let shown = if roles.first().is_some_and(|role| matches!(role, Role::Owner | Role::Admin)) { "/console/audit" } else { "/console/organization" };
            assert_eq!(console.eval("location.pathname").await, shown, "{roles:?}");
            assert!(console.eval("document.title").await.as_str().unwrap().ends_with("SME Pulse"));
            console.assert_clean().await;
        }
    }

    async fn the_keyboard_alone_signs_in(app: TestApp) {
        let email = app.member(&[Role::Cashier]).await.email;
        let Some(mut console) = Console::open(&app) else { return };
        console.go("/console/sessions").await;
        console.wait_for("document.activeElement.name === 'email'").await;
        console.run(move |browser| {
            browser.type_here(&email);
            browser.press("Tab", 9);
            browser.type_here("not the password");
            browser.press("Enter", 13);
        }).await;
        console.sees("Incorrect email or password").await;
        assert_eq!(console.eval("document.querySelector('[role=alert]').checkVisibility()").await, true);
        console.picture("refused").await;
        console.run(|browser| {
            browser.eval("document.activeElement.select()");
            browser.type_here(PASSWORD);
            browser.press("Enter", 13);
        }).await;
        // Where the link led in the first place, with the focus on the heading.
        console.sees("This session").await;
        assert_eq!(console.eval("[location.pathname, document.activeElement.textContent]").await, json!(["/console/sessions", "Sessions"]));
        // The visible focus is an outline, and tabbing gets to the navigation.
        console.run(|browser| { for _ in 0..3 { browser.press("Tab", 9); } }).await;
        let outline = console.eval("[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]").await;
        assert_eq!(outline, json!(["BUTTON", "solid"]));
        console.assert_clean().await;
    }

    async fn empty_fields_are_named_before_anything_is_sent(app: TestApp) {
        let Some(mut console) = Console::open(&app) else { return };
        console.go("/console").await;
        console.press("Sign in").await;
        console.sees("Please fill this in.").await;
        let told = console.eval("[document.activeElement.name, document.activeElement.getAttribute('aria-invalid'), \
            document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent]").await;
        assert_eq!(told, json!(["email", "true", "Please fill this in."]));
        let sent = console.run(Browser::requests).await;
        assert!(!sent.iter().any(|url| url.ends_with("/login")), "{sent:?}");
        console.assert_clean().await;
    }

    async fn a_second_factor_is_asked_for(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.credentials(&holder.member.email, PASSWORD).await;
        console.sees("Your account has a second factor.").await;
        console.picture("code").await;
        console.enter("code", &holder.wrong_code()).await;
        console.press("Continue").await;
        console.sees("Invalid or expired code").await;
        console.enter("code", &holder.next_code()).await;
        console.press("Continue").await;
        console.sees("Sign out").await;

        console.press("Sign out").await;
        console.sees("You have signed out.").await;
        console.credentials(&holder.member.email, PASSWORD).await;
        console.enter("code", &holder.recovery_codes[0].to_lowercase()).await;
        console.press("Continue").await;
        console.sees("Sign out").await;
        console.assert_clean().await;
    }

    async fn signing_out_ends_the_session_and_leaves_nothing_behind(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        let kept = console.eval("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])").await;
        let kept = kept.as_str().unwrap();
        assert!(kept.contains("spr_") && !kept.contains("eyJ"), "only the refresh token is kept: {kept}");
        console.press("Sign out").await;
        console.sees("You have signed out.").await;
        console.wait_for("document.querySelector('[name=password]')").await;
        assert_eq!(console.eval("JSON.stringify([{...sessionStorage}, {...localStorage}])").await, "[{},{}]");
        // The page says so before the server has answered; only the test's own session is left.
        let left = async || loop {
            let sessions = member.get("/api/v1/auth/sessions").await.json();
            if sessions.as_array().unwrap().len() == 1 {
                return;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), left()).await.unwrap();
        console.go("/console/people").await;
        console.wait_for("document.querySelector('[name=password]')").await;
        console.assert_clean().await;
    }

    async fn an_access_token_that_ended_is_renewed_once_for_all_calls(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        assert_eq!(console.eval(REFRESHES).await, 0);
        app.clock.advance(Duration::from_mins(40));
        // Calls at once, all refused at first; the modules are those of the page.
        let calls = "import('/console/assets/api.js').then(api => \
            Promise.all(['/auth/me', '/auth/sessions', '/settings'].map(path => api.get(path)))).then(all => all.length)";
        assert_eq!(console.eval(calls).await, 3);
        assert_eq!(console.eval(REFRESHES).await, 1);
        // The page's own clock says that the token is about to end: it is renewed before it is refused.
        console.eval("{ performance.clearResourceTimings(); const now = Date.now; Date.now = () => now() + 29.5 * 60_000; }").await;
        console.press("Sessions").await;
        console.sees("This session").await;
        assert_eq!(console.eval(REFRESHES).await, 1);
        assert_eq!(console.eval("performance.getEntriesByType('resource').some(e => e.responseStatus === 401)").await, false);

        // A reload takes the session up again; one that has ended leads to the log-in, and says so.
        console.go("/console/sessions").await;
        console.sees("This session").await;
        app.clock.advance(Duration::from_hours(24 * 30));
        console.press("My account").await;
        console.sees("Your session has ended. Please sign in again.").await;
        console.wait_for("document.querySelector('[name=password]')").await;
        console.assert_clean().await;
    }

    async fn tabs_share_a_session_and_its_end(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        let first = console.run(|browser| { let first = browser.new_tab(); browser.appear(1280, "light"); first }).await;
        console.go("/console/sessions").await;
        console.sees("This session").await;
        assert_eq!(console.eval(REFRESHES).await, 0, "the other tab has a token");
        assert_eq!(console.eval("document.querySelectorAll('tbody tr').length").await, 2, "one for the test's own log-in");
        // Each renews in its turn, and none of it looks like a stolen token.
        let mut other = first;
        for _ in 0..4 {
            app.clock.advance(Duration::from_mins(40));
            for page in ["My account", "Sessions"] {
                console.press(page).await;
                console.wait_for(&format!("document.querySelector('h1').textContent === {page:?}")).await;
            }
            other = console.run(move |browser| browser.turn_to(other)).await;
        }
        console.press("Sign out").await;
        console.sees("You have signed out.").await;
        console.run(move |browser| browser.turn_to(other)).await;
        console.wait_for("document.querySelector('[name=password]')").await;
        assert_eq!(console.eval("sessionStorage.length").await, 0);
        console.assert_clean().await;
    }

    async fn too_many_requests_are_explained(db: TestDatabase) {
        let app = TestApp::with(db, &[("BACKEND_RATE_LIMIT_REQUESTS", "1")]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.credentials("nobody@example.com", PASSWORD).await;
        console.sees("Incorrect email or password").await;
        console.press("Sign in").await;
        console.sees("Rate limit exceeded. Please try again in 60 seconds.").await;
        console.assert_clean().await;
    }

    async fn a_forgotten_password_is_set_anew_with_the_link_of_the_mail(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.go("/console/forgot-password").await;
        console.enter("email", &member.email).await;
        console.press("Send the link").await;
        console.sees("a mail with a link is on its way").await;
        let token = app.reset_token(&member.email, &mut Vec::new()).await;
        console.go(&format!("/console/reset-password?token={token}")).await;
        console.enter("new_password", "123456789").await;
        assert_eq!(console.eval("location.search").await, "", "the token has left the address");
        console.press("Set the password").await;
        // Refused beside the field; a reload does not lose the link.
        console.wait_for("document.querySelector('[name=new_password][aria-invalid=true]')").await;
        console.run(Browser::reload).await;
        console.wait_for("!document.querySelector('[aria-invalid]')").await;
        console.enter("new_password", "a better password").await;
        console.press("Set the password").await;
        console.wait_for("document.querySelector('.done')").await;
        console.credentials(&member.email, "a better password").await;
        console.sees("Sign out").await;
        console.assert_clean().await;
    }
}
