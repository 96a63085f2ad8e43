//! What asks for a secret, which no generator knows: an account is changed at its home, from wherever its holder asks for it, and
//! what happens is told in the trail of the organization that it concerns.

use std::time::Duration;

use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::super::support::{Answer, Member, PASSWORD, TestApp, claims, link_token};

const SWITCH: &str = "/api/v1/auth/switch-organization";
const SESSIONS: &str = "/api/v1/auth/sessions";
const FACTOR: &str = "/api/v1/auth/mfa";
const OTHER_PASSWORD: &str = "another passphrase";
const MINUTES_16: Duration = Duration::from_mins(16);

/// The same person with a session in another organization, entered through the real route.
async fn entered<'a>(app: &'a TestApp, person: &Member<'a>, org: i64) -> Member<'a> {
    let answer = person.post_json(SWITCH, &json!({"org_id": org})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut there = app.sign_in(&person.email).await;
    there.token = token_of(&answer, "access_token");
    there.refresh_token = token_of(&answer, "refresh_token");
    there.org = org;
    there
}

fn token_of(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

/// What the trail of an organization tells, each word once, in order of the alphabet.
async fn told(app: &TestApp, org: i64) -> Vec<String> {
    let actions = format!("SELECT DISTINCT action FROM auth.audit_log WHERE org_id = {org} ORDER BY action");
    app.texts(&actions).await.into_iter().flatten().collect()
}

on_both_databases! {
    async fn passwords_and_factors_are_the_homes_wherever_their_holder_is(app: TestApp) {
        let (host, person) = (app.member(&[Role::Owner]).await, app.member(&[Role::Cashier]).await);
        app.join(host.org, &person.email, &[Role::Cashier]).await;
        let there = entered(&app, &person, host.org).await;
        let holder = app.enrolled(there).await;
        for asking in [&person, &holder.member] {
            let status = asking.get(FACTOR).await.json();
            assert_eq!((&status["enabled"], &status["recovery_codes_left"]), (&json!(true), &json!(10)));
        }

        app.clock.advance(MINUTES_16);
        let change = json!({"old_password": PASSWORD, "new_password": OTHER_PASSWORD});
        let refused = holder.member.post_json("/api/v1/auth/change-password", &change).await;
        assert_eq!((refused.status, &refused.json()["error_code"]), (403, &json!("step_up_required")), "a factor asks for more");
        let proof = json!({"password": PASSWORD, "code": holder.code_in(0)});
        let proved = holder.member.send("/api/v1/auth/step-up", &proof).await;
        assert_eq!(proved.status, 200, "{}", proved.text);
        assert_eq!(claims(&token_of(&proved, "access_token"))["org_id"], host.org);
        assert_eq!(holder.member.post(&format!("{FACTOR}/recovery-codes")).await.status, 200);
        let changed = holder.member.post_json("/api/v1/auth/change-password", &change).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let half = app.log_in(&person.email, OTHER_PASSWORD).await;
        let done = app.verify(&token_of(&half, "mfa_token"), &holder.next_code()).await;
        assert_eq!((done.status, &done.json()["user"]["org_id"]), (200, &json!(person.org)), "{}", done.text);
        let off = json!({"password": OTHER_PASSWORD, "code": holder.next_code()});
        let off = holder.member.send(&format!("{FACTOR}/disable"), &off).await;
        assert!(off.status < 300, "{}", off.text);

        app.post("/api/v1/auth/forgot-password", &json!({"email": person.email})).await;
        let link = app.reset_token(&person.email, &mut Vec::new()).await;
        let reset = json!({"token": link, "new_password": "a third passphrase"});
        assert_eq!(app.post("/api/v1/auth/reset-password", &reset).await.status, 200);
        let home = app.sign_in_with(&person.email, "a third passphrase").await;
        assert_eq!(home.org, person.org);
        assert_eq!(told(&app, host.org).await, ["auth.log_in", "auth.organization_entered"], "nothing of the account");
        let at_home = told(&app, person.org).await;
        for action in ["auth.factor_enabled", "auth.factor_disabled", "auth.password_changed", "auth.password_reset_requested", "auth.reauthenticated"] {
            assert!(at_home.iter().any(|told| told == action), "{action} of {at_home:?}");
        }
    }

    async fn sessions_go_on_where_they_are_and_end_with_the_membership(app: TestApp) {
        let (host, person) = (app.member(&[Role::Owner]).await, app.member(&[Role::Cashier]).await);
        app.join(host.org, &person.email, &[Role::Cashier]).await;
        let there = entered(&app, &person, host.org).await;
        for asking in [&person, &there] {
            // Those of the log-ins and the one of the switch.
            assert_eq!(asking.get(SESSIONS).await.json().as_array().unwrap().len(), 3);
        }
        for member in [&person, &there] {
            let renewed = app.refresh(&member.refresh_token).await;
            assert_eq!((renewed.status, &renewed.json()["user"]["org_id"]), (200, &json!(member.org)), "{}", renewed.text);
            let again = app.refresh(&token_of(&renewed, "refresh_token")).await;
            assert_eq!(again.status, 200);
            // A copy that is two steps old ends the session, and is told where that was.
            assert_eq!(app.refresh(&member.refresh_token).await.status, 401);
            assert_eq!(member.get(SESSIONS).await.status, 401);
            assert!(told(&app, member.org).await.iter().any(|told| told == "auth.refresh_reused"));
        }

        let person = app.sign_in(&person.email).await;
        let there = entered(&app, &person, host.org).await;
        let path = format!("/api/v1/users/{}", person.user);
        let ended = format!("UPDATE auth.memberships SET status = 'inactive' WHERE user_id = {}", person.user);
        app.sql(&ended).await;
        assert_eq!(app.refresh(&there.refresh_token).await.status, 401);
        assert_eq!(there.get(&path).await.status, 401);
        assert_eq!(person.post_json(SWITCH, &json!({"org_id": host.org})).await.status, 404);
        assert_eq!(app.refresh(&person.refresh_token).await.status, 200);
    }

    async fn the_end_of_a_session_is_told_where_it_was(app: TestApp) {
        let (host, person) = (app.member(&[Role::Owner]).await, app.member(&[Role::Cashier]).await);
        app.join(host.org, &person.email, &[Role::Cashier]).await;
        let there = entered(&app, &person, host.org).await;
        assert!(there.post("/api/v1/auth/logout").await.status < 300);
        assert!(told(&app, host.org).await.iter().any(|told| told == "auth.log_out"));
        assert!(!told(&app, person.org).await.iter().any(|told| told == "auth.log_out"));
        let there = entered(&app, &person, host.org).await;
        let session = claims(&there.token)["sid"].as_str().unwrap().to_owned();
        let ended = person.delete(&format!("{SESSIONS}/{session}")).await;
        assert!(ended.status < 300, "{}", ended.text);
        assert_eq!(there.get(SESSIONS).await.status, 401);
        assert!(told(&app, person.org).await.iter().any(|told| told == "auth.session_ended"), "of other ones home is told");
    }

    /// By somebody who is at home in a third organization, as the token's holder is in a second one.
    async fn a_token_is_taken_back_where_it_is_of(app: TestApp) {
        let (host, person) = (app.member(&[Role::Owner]).await, app.member(&[Role::Cashier]).await);
        let guest = app.member(&[Role::Owner]).await;
        app.join(host.org, &person.email, &[Role::Cashier]).await;
        app.join(host.org, &guest.email, &[Role::Owner]).await;
        let (there, asking) = (entered(&app, &person, host.org).await, entered(&app, &guest, host.org).await);
        for (token, status) in [(&person.token, 200), (&there.token, 401)] {
            assert_eq!(asking.post_json("/api/v1/auth/revoke", &json!({"token": token})).await.status, 200);
            let member = if token == &person.token { &person } else { &there };
            assert_eq!(member.get(SESSIONS).await.status, status);
        }
        let tells = async |org| told(&app, org).await.iter().any(|told| told == "auth.token_revoked");
        assert_eq!((tells(host.org).await, tells(person.org).await, tells(guest.org).await), (true, false, false));
    }

    async fn a_password_of_the_home_enters_no_other_organization(app: TestApp) {
        let (host, home) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let person = app.colleague(home.org, "ann@example.com", &[Role::Cashier]).await;
        app.join(host.org, "ann@example.com", &[Role::Cashier]).await;
        let path = format!("/api/v1/users/{}/reset-password", person.user);
        assert_eq!(home.post_json(&path, &json!({"new_password": OTHER_PASSWORD})).await.status, 200);
        let person = app.sign_in_with("ann@example.com", OTHER_PASSWORD).await;
        let refused = person.post_json(SWITCH, &json!({"org_id": host.org})).await;
        assert!([400, 403].contains(&refused.status), "{}", refused.text);
        let places = person.get("/api/v1/auth/organizations").await.json();
        let places: Vec<_> = places.as_array().unwrap().iter().map(|place| place["id"].clone()).collect();
        assert_eq!(places, [json!(home.org)], "where else its holder works is not told either");
        assert_eq!(told(&app, host.org).await, ["auth.log_in"], "its owner's alone");
    }

    async fn while_home_is_suspended_a_log_in_leads_elsewhere_and_is_told_there(app: TestApp) {
        let (host, person) = (app.member(&[Role::Owner]).await, app.member(&[Role::Cashier]).await);
        app.join(host.org, &person.email, &[Role::Cashier]).await;
        app.sql(&format!("UPDATE core.organizations SET status = 'inactive' WHERE id = {}", person.org)).await;
        let answer = app.log_in(&person.email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(claims(&token_of(&answer, "access_token"))["org_id"], host.org);
        assert_eq!(told(&app, host.org).await, ["auth.log_in", "auth.organization_entered"]);
        assert_eq!(told(&app, person.org).await, ["auth.log_in"]);
    }

    async fn an_invitation_leads_into_the_organization_that_sent_it(app: TestApp) {
        let (host, guest) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let host_name = app.texts(&format!("SELECT name FROM core.organizations WHERE id = {}", host.org)).await;
        let host_name: Vec<_> = host_name.into_iter().flatten().collect();
        for email in ["new@example.com", &guest.email] {
            let sent = host.post_json("/api/v1/invitations", &json!({"email": email, "roles": ["cashier"]})).await;
            assert_eq!(sent.status, 201, "{}", sent.text);
            let mails = app.mails(email, "You are invited", 1).await;
            let token = link_token(&mails[0], "invitation");
            let shown = app.get(&format!("/api/v1/invitations/accept?token={token}")).await;
            assert!(shown.text.contains(&format!("\"{}\"", host_name[0])), "{}", shown.text);
            let body = json!({"token": token, "full_name": "New", "password": "a good passphrase"});
            let taken = if email == guest.email {
                guest.post_json("/api/v1/invitations/join", &json!({"token": token})).await
            } else {
                app.post("/api/v1/invitations/accept", &body).await
            };
            assert!(taken.status < 300, "{}", taken.text);
        }
        let of_host = |what: &str| format!("SELECT COUNT(*) FROM {what} = {}", host.org);
        assert_eq!(app.numbers(&of_host("core.users WHERE email = 'new@example.com' AND org_id")).await, [1]);
        assert_eq!(app.numbers(&of_host("auth.memberships WHERE status = 'active' AND org_id")).await, [1]);
        assert!(told(&app, host.org).await.iter().any(|told| told == "invitations.accepted"));
        assert_eq!(told(&app, guest.org).await, ["auth.log_in"]);
    }
}
