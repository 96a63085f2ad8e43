//! Joining by an invitation with the account one has.

use futures_util::future::join_all;
use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::{
    super::support::{Member, PASSWORD, TestApp},
    GOOD, JOIN, accept, actions, assert_code, assert_invalid, invite, invited, join, show, token,
};

/// A member whose address is invited into the organization of a new owner.
async fn guest<'a>(app: &'a TestApp, roles: &[&str]) -> (Member<'a>, Member<'a>, String) {
    let (owner, guest) = (app.member(&[Role::Owner]).await, app.member(&[Role::Cashier]).await);
    let (_, token) = invited(app, &owner, &guest.email, roles).await;
    (owner, guest, token)
}

on_both_databases! {
    async fn of_32_parallel_joins_exactly_one_makes_a_member(app: TestApp) {
        let (owner, guest, token) = guest(&app, &["accountant"]).await;
        let answers = join_all((0..32).map(|_| join(&guest, &token))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 400)), "{answers:?}");
        assert_eq!(actions(&app, owner.org).await, ["invitations.sent", "invitations.accepted"]);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.memberships").await, [1]);
    }

    async fn an_account_joins_with_its_own_link_alone_and_keeps_its_home(app: TestApp) {
        let (owner, guest, token) = guest(&app, &["admin", "cashier"]).await;
        let shown = show(&app, &token).await;
        assert_eq!(shown.json()["has_account"], true, "{}", shown.text);
        assert_code(&accept(&app, &token).await, 409, "conflict");
        let other = app.member(&[Role::Owner]).await;
        assert_invalid(&join(&other, &token).await);
        assert_invalid(&join(&owner, &token).await);
        let joined = join(&guest, &token).await;
        let expected = format!(r#"{{"id":{},"name":"Org 1","roles":["admin","cashier"],"is_home":false,"current":false}}"#, owner.org);
        assert_eq!((joined.status, joined.text), (200, expected));
        assert_invalid(&join(&guest, &token).await);
        assert_eq!(guest.get("/auth/me").await.json()["org_id"], guest.org, "the calling session stays where it is");
        let home = app.log_in(&guest.email, PASSWORD).await.json();
        assert_eq!((&home["user"]["org_id"], &home["roles"]), (&json!(guest.org), &json!(["cashier"])));
        assert_code(&invite(&owner, &guest.email, &["cashier"]).await, 400, "duplicate");
        let trail = format!("SELECT COUNT(*) FROM auth.audit_log WHERE org_id = {} AND action LIKE 'invitations%'", guest.org);
        assert_eq!(app.numbers(&trail).await, [0], "nothing of it stands in the trail of the home");
    }

    async fn who_was_removed_can_be_invited_again_and_has_the_new_roles_alone(app: TestApp) {
        let (owner, guest, token) = guest(&app, &["admin"]).await;
        assert_eq!(join(&guest, &token).await.status, 200);
        let there = guest.post_json("/api/v1/auth/switch-organization", &json!({"org_id": owner.org})).await;
        let there = there.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(app.me(&there).await.status, 200);
        app.sql(&format!("UPDATE auth.memberships SET status = 'inactive' WHERE user_id = {}", guest.user)).await;
        TestApp::until(401, async || app.me(&there).await).await;
        let answer = invite(&owner, &guest.email, &["cashier"]).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let again = super::token(&app, &guest.email, &[&token]).await;
        assert_eq!(join(&guest, &again).await.json()["roles"], json!(["cashier"]));
        assert_eq!(app.me(&there).await.status, 401, "what was open before stays closed");
        let there = guest.post_json("/api/v1/auth/switch-organization", &json!({"org_id": owner.org})).await;
        assert_eq!(there.json()["roles"], json!(["cashier"]), "{}", there.text);
    }

    async fn invitations_of_a_suspended_organization_are_not_valid(app: TestApp) {
        let (owner, guest, to_guest) = guest(&app, &["cashier"]).await;
        let (_, to_ann) = invited(&app, &owner, "ann@example.com", &["cashier"]).await;
        app.sql(&format!("UPDATE core.organizations SET status = 'inactive' WHERE id = {}", owner.org)).await;
        for token in [&to_guest, &to_ann] {
            assert_invalid(&show(&app, token).await);
            assert_invalid(&accept(&app, token).await);
            assert_invalid(&join(&guest, token).await);
        }
        app.sql(&format!("UPDATE core.organizations SET status = 'active' WHERE id = {}", owner.org)).await;
        assert_eq!((accept(&app, &to_ann).await.status, join(&guest, &to_guest).await.status), (201, 200));
    }

    async fn two_links_for_one_address_at_once_make_one_account(app: TestApp) {
        let (one, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let (_, first) = invited(&app, &one, "ann@example.com", &["admin"]).await;
        assert_eq!(invite(&other, "ann@example.com", &["cashier"]).await.status, 201);
        let second = token(&app, "ann@example.com", &[&first]).await;
        let answers = tokio::join!(accept(&app, &first), accept(&app, &second));
        let mut codes = [answers.0.status, answers.1.status];
        codes.sort_unstable();
        assert_eq!(codes, [201, 409]);
        let left = if answers.0.status == 201 { &second } else { &first };
        let ann = app.log_in("ann@example.com", GOOD).await.json()["access_token"].as_str().unwrap().to_owned();
        let joined = TestApp::send(app.request("POST", JOIN).bearer_auth(&ann).json(&json!({"token": left}))).await;
        assert_eq!(joined.status, 200, "the other link is not used up: {}", joined.text);
    }
}
