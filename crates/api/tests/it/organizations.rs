//! One person in several organizations: which there are, switching, side by side, suspension and removal.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{Answer, Member, PASSWORD, TestApp, claims};

const SWITCH: &str = "/api/v1/auth/switch-organization";
const LIST: &str = "/api/v1/auth/organizations";
const SETTINGS: &str = "/api/v1/settings";
const PASSWORD_OF_HOME: &str = "a passphrase of the home";
const DAY: Duration = Duration::from_hours(24);

/// The application with the budgets of production.
struct Limited(TestApp);

impl Fixture for Limited {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[]).await)
    }
}

/// A person with a home of their own who belongs to another organization too, with these roles there.
struct Both<'a> {
    /// Signed in at home.
    person: Member<'a>,
    /// The owner of the other one.
    host: Member<'a>,
}

impl TestApp {
    async fn both(&self, roles: &[Role]) -> Both<'_> {
        let (host, person) = (self.member(&[Role::Owner]).await, self.member(&[Role::Owner]).await);
        self.belongs(person.user, host.org, roles).await;
        Both { person, host }
    }

    /// As joining writes it.
    async fn belongs(&self, user: i64, org: i64, roles: &[Role]) {
        self.sql(&format!("INSERT INTO auth.memberships (org_id, user_id) VALUES ({org}, {user})")).await;
        for role in roles {
            self.sql(&format!(
                "INSERT INTO core.user_roles (user_id, org_id, role_id) SELECT {user}, {org}, id FROM core.roles WHERE code = '{role}'"
            ))
            .await;
        }
    }

    async fn suspend(&self, org: i64) {
        self.sql(&format!("UPDATE core.organizations SET status = 'inactive' WHERE id = {org}")).await;
    }

    async fn with_token(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        Self::send(self.request(method, path).bearer_auth(token).json(body)).await
    }

    async fn actions_in(&self, org: i64) -> Vec<String> {
        self.texts(&format!("SELECT action FROM auth.audit_log WHERE org_id = {org} ORDER BY seq"))
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Both<'_> {
    /// Access and refresh token of a new session in the other organization.
    async fn there(&self) -> (String, String) {
        let answer = switch(&self.person, self.host.org).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        tokens(&answer)
    }
}

async fn switch(member: &Member<'_>, org: i64) -> Answer {
    member.post_json(SWITCH, &json!({"org_id": org})).await
}

fn tokens(answer: &Answer) -> (String, String) {
    let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn assert_not_found(answer: &Answer) {
    answer.assert_envelope(404, "Organization not found", "Organization not found", "not_found");
}

on_both_databases! {
    async fn a_switch_opens_a_session_there_with_the_roles_held_there(app: TestApp) {
        let both = app.both(&[Role::Cashier, Role::Accountant]).await;
        let (person, host) = (&both.person, &both.host);
        let listed = person.get(LIST).await;
        let expected = format!(
            r#"[{{"id":{},"name":"Org 2","roles":["owner"],"is_home":true,"current":true}},{{"id":{},"name":"Org 1","roles":["accountant","cashier"],"is_home":false,"current":false}}]"#,
            person.org, host.org
        );
        assert_eq!((listed.status, listed.text.as_str(), listed.one("cache-control")), (200, expected.as_str(), "no-store"));

        app.clock.advance(Duration::from_mins(10));
        let answer = switch(person, host.org).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["roles"], &body["user"]["org_id"]), (200, &json!(["accountant", "cashier"]), &json!(host.org)), "{}", answer.text);
        let (token, refresh) = tokens(&answer);
        assert!(answer.header("set-cookie").is_none() && body["device_token"].is_null());
        let (before, after) = (claims(&person.token), claims(&token));
        assert_eq!((&after["auth_time"], &after["amr"], &after["org_id"]), (&before["auth_time"], &before["amr"], &json!(host.org)));
        assert_ne!(after["sid"], before["sid"]);
        assert_eq!(app.me(&token).await.json()["org_id"], host.org);
        let listed = app.with_token(&token, "GET", "/auth/organizations/", &Value::Null).await.json();
        assert_eq!((&listed[0]["current"], &listed[1]["current"]), (&json!(false), &json!(true)));
        let renewed = app.refresh(&refresh).await.json();
        assert_eq!((&renewed["user"]["org_id"], &renewed["roles"]), (&json!(host.org), &json!(["accountant", "cashier"])));
        assert_eq!(app.actions_in(host.org).await, ["auth.log_in", "auth.organization_entered"]);
        assert_eq!(app.actions_in(person.org).await, ["auth.log_in"]);
        let back = app.with_token(&token, "POST", "/auth/switch-organization/", &json!({"org_id": person.org})).await;
        assert_eq!((back.status, &back.json()["roles"]), (200, &json!(["owner"])));
    }

    /// Or an administrator could set somebody's password, sign in, and read where else they work.
    async fn a_password_that_home_set_shows_no_other_organization(app: TestApp) {
        let home = app.member(&[Role::Owner]).await;
        let person = app.colleague(home.org, "ann@example.com", &[Role::Cashier]).await;
        let host = app.member(&[Role::Owner]).await;
        app.belongs(person.user, host.org, &[Role::Cashier]).await;
        assert_eq!(switch(&person, host.org).await.status, 200);
        let orgs = async |member: &Member<'_>| {
            let listed = member.get(LIST).await.json();
            listed.as_array().unwrap().iter().map(|place| place["id"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(orgs(&person).await, [home.org, host.org]);

        let path = format!("/api/v1/users/{}/reset-password", person.user);
        let set = home.post_json(&path, &json!({"new_password": PASSWORD_OF_HOME})).await;
        assert_eq!(set.status, 200, "{}", set.text);
        let event = home.get("/api/v1/audit?action=users.password_set").await.json();
        assert_eq!(event["items"][0]["after"], json!({"sessions_ended": "1"}), "not that of the other one: {event}");
        let entered = app.sign_in_with("ann@example.com", PASSWORD_OF_HOME).await;
        assert_eq!(orgs(&entered).await, [home.org]);

        // Who knows the password may change it, whoever that is.
        let changed = json!({"old_password": PASSWORD_OF_HOME, "new_password": "another passphrase"});
        assert_eq!(entered.post_json("/api/v1/auth/change-password", &changed).await.status, 200);
        assert_eq!(orgs(&entered).await, [home.org]);
        // Only who reads the mail of the address sets one that nobody else knows.
        app.post("/api/v1/auth/forgot-password", &json!({"email": "ann@example.com"})).await;
        let token = app.reset_token("ann@example.com", &mut Vec::new()).await;
        let own = json!({"token": token, "new_password": "a passphrase of my own"});
        assert_eq!(app.post("/api/v1/auth/reset-password", &own).await.status, 200);
        let person = app.sign_in_with("ann@example.com", "a passphrase of my own").await;
        assert_eq!(orgs(&person).await, [home.org, host.org]);
    }

    async fn two_tabs_in_two_organizations_never_mix(app: TestApp) {
        let both = app.both(&[Role::Cashier]).await;
        let (person, host) = (&both.person, &both.host);
        let (there, refresh_there) = both.there().await;
        for round in 0..8 {
            let (at_home, away) = tokio::join!(person.get(SETTINGS), app.with_token(&there, "GET", SETTINGS, &Value::Null));
            assert_eq!((at_home.json()["id"].as_i64(), away.json()["id"].as_i64()), (Some(person.org), Some(host.org)), "{round}");
            let (own, foreign) = (json!({"phone": format!("{round}")}), json!({"phone": "stolen"}));
            let (at_home, away) = tokio::join!(
                person.put(SETTINGS, &own),
                app.with_token(&there, "PUT", SETTINGS, &foreign)
            );
            assert_eq!((at_home.status, away.status), (200, 403), "owner at home, cashier there");
        }
        assert_eq!(host.get(SETTINGS).await.json()["phone"], Value::Null);
        let renewed = app.refresh(&refresh_there).await.json();
        assert_eq!(renewed["user"]["org_id"], host.org);
        assert_eq!(app.refresh(&person.refresh_token).await.json()["user"]["org_id"], person.org);
        assert_eq!(app.with_token(&there, "POST", "/auth/logout", &json!({})).await.status, 204);
        assert_eq!((app.me(&there).await.status, person.get("/auth/me").await.status), (401, 200));
        let (there, _) = both.there().await;
        assert_eq!(person.post("/auth/logout").await.status, 204);
        assert_eq!((app.me(&there).await.status, person.get("/auth/me").await.status), (200, 401));
    }

    async fn where_one_does_not_belong_is_not_there(app: TestApp) {
        let both = app.both(&[Role::Admin]).await;
        let stranger = app.member(&[Role::Owner]).await;
        for org in [stranger.org, 999_999, i64::MAX] {
            assert_not_found(&switch(&both.person, org).await);
        }
        assert_not_found(&switch(&stranger, both.host.org).await);
        assert_not_found(&switch(&both.host, both.person.org).await);
        app.sql(&format!("UPDATE auth.memberships SET status = 'inactive' WHERE user_id = {}", both.person.user)).await;
        assert_not_found(&switch(&both.person, both.host.org).await);
        assert_eq!(both.person.get(LIST).await.json().as_array().unwrap().len(), 1);
        app.sql(&format!("UPDATE auth.memberships SET status = 'active' WHERE user_id = {}", both.person.user)).await;
        app.suspend(both.host.org).await;
        assert_not_found(&switch(&both.person, both.host.org).await);
        assert_eq!(both.person.get(LIST).await.json().as_array().unwrap().len(), 1);
        for (odd, kind) in [
            (json!({}), "missing"), (json!({"org_id": null}), "int_type"), (json!({"org_id": "1"}), "int_type"),
            (json!({"org_id": 0}), "greater_than"), (json!({"org_id": -1}), "greater_than"), (json!({"org_id": true}), "int_type"),
        ] {
            let answer = both.person.post_json(SWITCH, &odd).await;
            assert_eq!((answer.status, answer.json()["detail"][0]["type"].as_str()), (422, Some(kind)), "{odd}");
        }
        let sessions = "SELECT COUNT(*) FROM auth.sessions";
        assert_eq!(app.numbers(sessions).await, [3], "no session but those of the log-ins");
    }

    async fn who_is_removed_is_out_on_the_next_request_and_goes_on_at_home(app: TestApp) {
        let both = app.both(&[Role::Admin]).await;
        for removal in ["UPDATE auth.memberships SET status = 'inactive'", "DELETE FROM auth.memberships"] {
            app.sql("UPDATE auth.memberships SET status = 'active'").await;
            let (there, refresh) = both.there().await;
            assert_eq!(app.me(&there).await.status, 200);
            app.sql(&format!("{removal} WHERE user_id = {}", both.person.user)).await;
            assert_eq!(app.refresh(&refresh).await.status, 401, "{removal}");
            let refused = TestApp::until(401, async || app.me(&there).await).await;
            assert_eq!(refused.json()["detail"], "Could not validate credentials");
            assert_eq!(both.person.get("/auth/me").await.status, 200);
        }
    }

    async fn a_suspended_organization_stops_at_once_and_no_other_with_it(app: TestApp) {
        let both = app.both(&[Role::Admin]).await;
        let (there, refresh) = both.there().await;
        let bystander = app.member(&[Role::Owner]).await;
        assert_eq!((app.me(&there).await.status, both.host.get("/auth/me").await.status), (200, 200));
        app.suspend(both.host.org).await;
        assert_eq!(app.refresh(&refresh).await.status, 401);
        assert_eq!(app.refresh(&both.host.refresh_token).await.status, 401);
        let refused = TestApp::until(401, async || app.me(&there).await).await;
        assert_eq!(refused.json()["detail"], "User is inactive");
        TestApp::until(401, async || both.host.get("/auth/me").await).await;
        assert_eq!(app.log_in(&both.host.email, PASSWORD).await.status, 401);
        assert_eq!((both.person.get("/auth/me").await.status, bystander.get("/auth/me").await.status), (200, 200));
        assert_eq!(app.refresh(&both.person.refresh_token).await.status, 200);
        assert_eq!(app.log_in(&both.person.email, PASSWORD).await.json()["user"]["org_id"], both.person.org);
    }

    async fn a_log_in_whose_home_is_suspended_leads_to_the_first_other_organization(app: TestApp) {
        let both = app.both(&[Role::Accountant]).await;
        let later = app.member(&[Role::Owner]).await;
        app.belongs(both.person.user, later.org, &[Role::Admin]).await;
        app.sql(&format!("UPDATE auth.memberships SET created_at = '2020-01-01 00:00:00.000000' WHERE org_id = {}", both.host.org)).await;
        app.suspend(both.person.org).await;
        let answer = app.log_in(&both.person.email, PASSWORD).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["user"]["org_id"], &body["roles"]), (200, &json!(both.host.org), &json!(["accountant"])), "{}", answer.text);
        let (token, refresh) = tokens(&answer);
        assert_eq!((app.me(&token).await.status, app.refresh(&refresh).await.status), (200, 200));
        let listed = app.with_token(&token, "GET", LIST, &Value::Null).await.json();
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (2, &json!(both.host.org)));
        let moved = app.with_token(&token, "POST", SWITCH, &json!({"org_id": later.org})).await;
        assert_eq!((moved.status, &moved.json()["roles"]), (200, &json!(["admin"])));
        assert_not_found(&app.with_token(&token, "POST", SWITCH, &json!({"org_id": both.person.org})).await);
        assert_eq!(app.actions_in(both.person.org).await, ["auth.log_in", "auth.log_in"], "the account's trail is that of its home");
        assert_eq!(app.actions_in(both.host.org).await, ["auth.log_in", "auth.organization_entered"]);
        let wrong = app.log_in(&both.person.email, "wrong").await;
        app.suspend(both.host.org).await;
        app.suspend(later.org).await;
        let refused = app.log_in(&both.person.email, PASSWORD).await;
        assert_eq!((refused.status, refused.comparable()), (401, wrong.comparable()));
        app.sql(&format!("UPDATE core.organizations SET status = 'active' WHERE id = {}", later.org)).await;
        app.sql(&format!("UPDATE core.users SET status = 'inactive' WHERE id = {}", both.person.user)).await;
        assert_eq!(app.log_in(&both.person.email, PASSWORD).await.status, 401, "the account itself is governed by its home");
    }

    async fn the_second_half_of_a_log_in_leads_there_too(app: TestApp) {
        let host = app.member(&[Role::Owner]).await;
        let holder = app.holder(&[Role::Owner]).await;
        app.belongs(holder.member.user, host.org, &[Role::Cashier]).await;
        let half = holder.half().await;
        app.suspend(holder.member.org).await;
        let answer = app.verify(&half, &holder.next_code()).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["user"]["org_id"], &body["roles"]), (200, &json!(host.org), &json!(["cashier"])), "{}", answer.text);
        assert_eq!(claims(body["access_token"].as_str().unwrap())["amr"], json!(["pwd", "otp", "mfa"]));
        let half = holder.half().await;
        app.suspend(host.org).await;
        super::support::assert_refused(&app.verify(&half, &holder.next_code()).await);
        assert_eq!(app.log_in(&holder.member.email, PASSWORD).await.status, 401);
    }

    async fn switching_makes_nothing_last_longer(app: TestApp) {
        let both = app.both(&[Role::Admin]).await;
        let mut refresh = both.person.refresh_token.clone();
        for _ in 0..8 {
            app.clock.advance(11 * DAY);
            refresh = tokens(&app.refresh(&refresh).await).1;
        }
        let (token, newest) = tokens(&app.refresh(&refresh).await);
        let body = json!({"org_id": both.host.org, "refresh_token": newest});
        let answer = app.with_token(&token, "POST", SWITCH, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let left = answer.json()["refresh_expires_in"].as_i64().unwrap();
        assert_eq!(left, 2 * 24 * 3_600, "90 days from the log-in");
        let (there, refresh_there) = tokens(&answer);
        app.clock.advance(2 * DAY);
        assert_eq!((app.me(&there).await.status, app.refresh(&refresh_there).await.status), (401, 401));
    }

    async fn no_switch_outlives_a_log_out_everywhere_or_a_new_password(app: TestApp) {
        for path in ["/auth/logout-all", "/auth/change-password"] {
            let both = app.both(&[Role::Admin]).await;
            let caller = app.sign_in(&both.person.email).await;
            let body = json!({"include_current": true, "old_password": PASSWORD, "new_password": "correct horse battery"});
            let switches = join_all((0..8).map(|_| switch(&both.person, both.host.org)));
            let (switches, ended) = tokio::join!(switches, caller.post_json(path, &body));
            assert!(matches!(ended.status, 200 | 204), "{}", ended.text);
            for answer in switches {
                match answer.status {
                    200 => assert_eq!(app.me(&tokens(&answer).0).await.status, 401, "{path}"),
                    status => assert_eq!(status, 401, "{path}: {}", answer.text),
                }
            }
            assert_eq!(switch(&both.person, both.host.org).await.status, 401);
        }
    }

    async fn switches_have_a_budget_per_user(limited: Limited) {
        let app = &limited.0;
        let both = app.both(&[Role::Admin]).await;
        for left in (0..5).rev() {
            let answer = switch(&both.person, both.host.org).await;
            assert_eq!((answer.status, answer.one("ratelimit")), (200, &*format!("\"switch-organization\";r={left};t=60")));
        }
        assert_eq!(switch(&both.person, both.host.org).await.status, 429);
        assert_eq!(switch(&both.host, both.person.org).await.status, 404, "another's budget");
    }

    async fn an_access_token_alone_becomes_no_session_of_its_own(app: TestApp) {
        let both = app.both(&[Role::Admin]).await;
        let (person, there) = (&both.person, both.host.org);
        let here = "You are in this organization already.";
        switch(person, person.org).await.assert_envelope(400, here, here, "rule_violated");
        app.clock.advance(Duration::from_mins(15));
        let other = app.sign_in(&person.email).await;
        let first = person.refresh_token.clone();
        let second = tokens(&app.refresh(&first).await).1;
        let third = tokens(&app.refresh(&second).await).1;
        // Nothing, another session's, one that was used up long ago, and none at all.
        for shown in [json!(null), json!(other.refresh_token), json!(first), json!("spr_nonsense")] {
            let answer = person.post_json(SWITCH, &json!({"org_id": there, "refresh_token": shown})).await;
            assert_eq!((answer.status, &answer.json()["error_code"]), (403, &json!("step_up_required")), "{shown}");
        }
        for shown in [second, third] {
            let answer = person.post_json(SWITCH, &json!({"org_id": there, "refresh_token": shown})).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        assert_eq!(app.me(&person.token).await.status, 200, "showing a token uses nothing up");
    }

    async fn a_home_that_knows_the_password_enters_nothing_else_with_it(app: TestApp) {
        let (home, host) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let (email, given) = ("keeper@example.com", "a password that is given");
        let new = json!({"email": email, "full_name": "Keeper", "password": given, "role": "accountant"});
        let user = home.post_json("/api/v1/users", &new).await.json()["id"].as_i64().unwrap();
        let keeper = async |password: &str| {
            let signed_in = app.log_in(email, password).await;
            assert_eq!(signed_in.status, 200, "{}", signed_in.text);
            tokens(&signed_in).0
        };
        let enter = async |token: &str| app.with_token(token, "POST", SWITCH, &json!({"org_id": host.org})).await;
        app.belongs(user, host.org, &[Role::Owner]).await;
        let refused = enter(&keeper(given).await).await;
        assert_eq!((refused.status, &refused.json()["error_code"]), (403, &json!("own_password_required")), "{}", refused.text);

        // With a password of their own, which only the mailbox can have led to.
        let mut seen = Vec::new();
        for own in ["mine and nobody else's", "mine again, nobody else's"] {
            app.post("/auth/forgot-password", &json!({"email": email})).await;
            let link = app.reset_token(email, &mut seen).await;
            let done = app.post("/auth/reset-password", &json!({"token": link, "new_password": own})).await;
            assert_eq!(done.status, 200, "{}", done.text);
            let entered = enter(&keeper(own).await).await;
            assert_eq!(entered.status, 200, "{}", entered.text);
            // Changing it oneself leaves it so; when home sets another, what was open elsewhere ends, and stays closed.
            let there = tokens(&entered).0;
            let path = format!("/api/v1/users/{user}/reset-password");
            assert_eq!(home.post_json(&path, &json!({"new_password": given})).await.status, 200);
            assert_eq!(app.me(&there).await.status, 401);
            assert_eq!(enter(&keeper(given).await).await.json()["error_code"], "own_password_required");
        }
        let token = keeper(given).await;
        let body = json!({"old_password": given, "new_password": "changed, but by whom"});
        assert_eq!(app.with_token(&token, "POST", "/auth/change-password", &body).await.status, 200);
        assert_eq!(enter(&token).await.json()["error_code"], "own_password_required");
        app.suspend(home.org).await;
        assert_eq!(app.log_in(email, "changed, but by whom").await.status, 401, "nor is it led there");
    }
}
