//! Invitations: sending and managing them, becoming a user by one, in `joining` with the account one has; their
//! budgets in `budgets`.

mod budgets;
mod joining;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, HASH, Member, TestApp, link_token};

const PATH: &str = "/api/v1/invitations";
const ACCEPT: &str = "/api/v1/invitations/accept";
const JOIN: &str = "/api/v1/invitations/join";
const GOOD: &str = "correct horse battery";
const DAY: Duration = Duration::from_hours(24);

async fn invite(sender: &Member<'_>, email: &str, roles: &[&str]) -> Answer {
    sender.post_json(PATH, &json!({"email": email, "roles": roles})).await
}

/// The key of a new invitation and the token in the newest of so many mails to its address.
async fn invited(app: &TestApp, sender: &Member<'_>, email: &str, roles: &[&str]) -> (i64, String) {
    let answer = invite(sender, email, roles).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    (answer.json()["id"].as_i64().unwrap(), token(app, email, &[]).await)
}

/// The token of the one mail to this address that is not among those seen.
async fn token(app: &TestApp, email: &str, seen: &[&str]) -> String {
    let mails = app.mails(email, "You are invited to SME Pulse", seen.len() + 1).await;
    let mut tokens = mails.iter().map(|mail| link_token(mail, "invitation"));
    tokens.find(|token| !seen.contains(&token.as_str())).unwrap()
}

async fn show(app: &TestApp, token: &str) -> Answer {
    app.get(&format!("{ACCEPT}?token={token}")).await
}

async fn accept(app: &TestApp, token: &str) -> Answer {
    app.post(ACCEPT, &json!({"token": token, "full_name": "Ann Smith", "password": GOOD})).await
}

async fn join(member: &Member<'_>, token: &str) -> Answer {
    member.post_json(JOIN, &json!({"token": token})).await
}

async fn delete(member: &Member<'_>, id: i64) -> Answer {
    TestApp::send(member.request("DELETE", &format!("{PATH}/{id}"))).await
}

async fn resend(member: &Member<'_>, id: i64) -> Answer {
    member.post(&format!("{PATH}/{id}/resend")).await
}

fn assert_invalid(answer: &Answer) {
    answer.assert_envelope(400, "Invalid or expired invitation", "Invalid or expired invitation", "rule_violated");
    assert_eq!(answer.one("cache-control"), "no-store");
}

fn assert_code(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["error_code"].as_str()), (status, Some(code)), "{}", answer.text);
}

async fn actions(app: &TestApp, org: i64) -> Vec<String> {
    let sql = format!("SELECT action FROM auth.audit_log WHERE org_id = {org} ORDER BY seq");
    app.texts(&sql).await.into_iter().flatten().filter(|action| action.starts_with("invitations")).collect()
}

async fn statuses(member: &Member<'_>) -> Vec<String> {
    let items = member.get(PATH).await.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["status"].as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    async fn an_invited_person_becomes_a_user_by_the_link_and_looking_uses_nothing_up(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let sent = invite(&owner, " Ann@Example.com ", &["cashier", "accountant", "cashier"]).await;
        let body = sent.json();
        assert_eq!((sent.status, &body["email"], &body["roles"]), (201, &json!("ann@example.com"), &json!(["accountant", "cashier"])));
        assert_eq!((&body["status"], &body["invited_by"]), (&json!("pending"), &json!(owner.user)));
        assert_eq!((&body["created_at"], &body["expires_at"]), (&json!("2025-11-20T08:15:30.123456Z"), &json!("2025-11-27T08:15:30.123456Z")));
        assert!(sent.text.starts_with("{\"id\":") && !sent.text.contains("token"), "{}", sent.text);
        let mail = app.mails("ann@example.com", "You are invited to SME Pulse", 1).await.remove(0);
        assert!(mail.contains(&owner.email) && mail.contains("27 November 2025") && mail.contains("\"Org 1\""), "{mail}");
        let token = link_token(&mail, "invitation");
        let stored = app.texts("SELECT token_hash FROM auth.invitations").await.remove(0).unwrap();
        assert!(token.starts_with("spi_") && token.len() == 47 && stored.len() == 64 && !token.contains(&stored));

        for _ in 0..3 {
            let shown = show(&app, &token).await;
            let expected = r#"{"organization":"Org 1","email":"ann@example.com","roles":["accountant","cashier"],"expires_at":"2025-11-27T08:15:30.123456Z","has_account":false}"#;
            assert_eq!((shown.status, shown.text.as_str(), shown.one("cache-control")), (200, expected, "no-store"));
        }
        assert_eq!(app.log_in("ann@example.com", GOOD).await.status, 401);
        let new = accept(&app, &token).await;
        let body = new.json();
        assert_eq!((new.status, &body["email"], &body["full_name"]), (201, &json!("ann@example.com"), &json!("Ann Smith")), "{}", new.text);
        assert_eq!((&body["org_id"], &body["status"], &body["last_login"]), (&json!(owner.org), &json!("active"), &Value::Null));
        assert_eq!((&body["roles"], &body["created_at"]), (&json!(["accountant", "cashier"]), &body["updated_at"]));
        assert_eq!(body.as_object().unwrap().len(), 9, "{}", new.text);
        let signed_in = app.log_in("ann@example.com", GOOD).await.json();
        assert_eq!((&signed_in["user"]["org_id"], &signed_in["roles"]), (&json!(owner.org), &json!(["accountant", "cashier"])));

        assert_invalid(&accept(&app, &token).await);
        assert_invalid(&show(&app, &token).await);
        assert_eq!(statuses(&owner).await, ["accepted"]);
        assert_eq!(actions(&app, owner.org).await, ["invitations.sent", "invitations.accepted"]);
        assert_eq!(app.numbers("SELECT accepted_by FROM auth.invitations").await, [body["id"].as_i64().unwrap()]);
        let trail = app.texts("SELECT CAST(after AS text) FROM auth.audit_log").await;
        assert!(!format!("{trail:?}").contains(&token));
    }

    async fn of_32_parallel_uses_exactly_one_makes_a_user(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let (_, token) = invited(&app, &owner, "ann@example.com", &["admin"]).await;
        let answers = join_all((0..32).map(|_| accept(&app, &token))).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            // One that found the queue of the hashes full is told to come again.
            assert!(matches!(answer.status, 400 | 503), "{}", answer.text);
        }
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users WHERE email = 'ann@example.com'").await, [1]);
        assert_eq!(actions(&app, owner.org).await, ["invitations.sent", "invitations.accepted"]);
        let roles = "SELECT COUNT(*) FROM core.user_roles h JOIN core.users u ON u.id = h.user_id WHERE u.email = 'ann@example.com'";
        assert_eq!(app.numbers(roles).await, [1]);
    }

    async fn only_owners_invite_owners_and_nobody_twice(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        app.insert_user(owner.org, "admin@example.com", HASH).await;
        let grant = |role: &str| format!(
            "INSERT INTO core.user_roles (user_id, org_id, role_id) SELECT u.id, u.org_id, r.id FROM core.users u CROSS JOIN core.roles r \
             WHERE u.email = 'admin@example.com' AND r.code = '{role}'"
        );
        app.sql(&grant("admin")).await;
        let admin = app.sign_in("admin@example.com").await;
        assert_code(&invite(&admin, "ann@example.com", &["owner"]).await, 403, "insufficient_permissions");
        assert_code(&invite(&admin, "ann@example.com", &["cashier", "owner"]).await, 403, "insufficient_permissions");
        let (id, _) = invited(&app, &owner, "ann@example.com", &["owner"]).await;
        assert_code(&resend(&admin, id).await, 403, "insufficient_permissions");
        assert_code(&invite(&admin, "ANN@example.com", &["cashier"]).await, 400, "duplicate");
        for member in ["admin@example.com", &owner.email] {
            assert_code(&invite(&owner, member, &["cashier"]).await, 400, "duplicate");
        }
        app.sql("UPDATE core.users SET status = 'inactive' WHERE email = 'admin@example.com'").await;
        assert_code(&invite(&owner, "admin@example.com", &["cashier"]).await, 400, "duplicate");
        let answers = join_all((0..8).map(|_| invite(&owner, "bob@example.com", &["cashier"]))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_code(answer, 400, "duplicate");
        }
        let other = app.member(&[Role::Owner]).await;
        assert_eq!(invite(&other, "bob@example.com", &["cashier"]).await.status, 201, "each organization for itself");
        app.mails("bob@example.com", "You are invited", 2).await;
        for role in [Role::Accountant, Role::Cashier] {
            let outsider = app.member(&[role]).await;
            assert_code(&invite(&outsider, "carl@example.com", &["cashier"]).await, 403, "insufficient_permissions");
        }
    }

    async fn bad_input_is_a_422_on_its_field(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let issues = |answer: &Answer| -> Vec<(String, String)> {
            assert_eq!(answer.status, 422, "{}", answer.text);
            let place = |item: &Value| item["loc"].as_array().unwrap().iter().skip(1).map(|step| step.to_string().replace('"', "")).collect::<Vec<_>>().join(".");
            answer.json()["detail"].as_array().unwrap().iter().map(|item| (place(item), item["type"].as_str().unwrap().to_owned())).collect()
        };
        let one = |place: &str, kind: &str| vec![(place.to_owned(), kind.to_owned())];
        for (body, expected) in [
            (json!({"email": "ann@example.com"}), one("role", "missing")),
            (json!({"email": "ann@example.com", "role": "boss", "roles": ["cashier"]}), one("role", "literal_error")),
            (json!({"email": "ann@example.com", "roles": []}), one("roles", "too_short")),
            (json!({"email": "ann@example.com", "roles": "owner"}), one("roles", "list_type")),
            (json!({"email": "ann@example.com", "roles": ["boss"]}), one("roles.0", "literal_error")),
            (json!({"email": "ann@example.com", "roles": vec!["cashier"; 5]}), one("roles", "too_long")),
            (json!({"email": "ann@example.com", "role": "Owner"}), one("role", "literal_error")),
            (json!({"email": "ann@example.com", "role": null}), one("role", "literal_error")),
            (json!({"email": "a\u{0}b@example.com", "role": "cashier"}), one("email", "value_error")),
            (json!({"email": "x".repeat(1_000_000), "role": "cashier"}), one("email", "value_error")),
            (json!({"email": 7, "role": "cashier"}), one("email", "string_type")),
            (json!({}), [one("email", "missing"), one("role", "missing")].concat()),
        ] {
            assert_eq!(issues(&owner.post_json(PATH, &body).await), expected);
        }
        assert_eq!(owner.post_json(PATH, &json!({"email": "r@example.com", "role": "cashier", "org_id": 1})).await.status, 201);
        let lookalike = invite(&owner, "\u{430}nn@example.com", &["cashier"]).await;
        assert_eq!((lookalike.status, invite(&owner, "ann@example.com", &["cashier"]).await.status), (201, 201));
        let token = token(&app, "ann@example.com", &[]).await;
        let sent = async |full_name: Value, password: Value| app.post(ACCEPT, &json!({"token": token, "full_name": full_name, "password": password})).await;
        for (name, password, expected) in [
            (json!("Ann"), json!("short77"), one("password", "string_too_short")),
            (json!("Ann"), json!("password1"), one("password", "value_error")),
            (json!("Ann"), json!("ann@example.com"), one("password", "value_error")),
            (json!("Mary Stuart"), json!("!marystuart!"), one("password", "value_error")),
            (json!("Ann"), json!("x".repeat(73)), one("password", "value_error")),
            (json!("Ann"), json!("eight\u{0}eight"), one("password", "value_error")),
            (json!("  "), json!(GOOD), one("full_name", "string_too_short")),
            (json!("x".repeat(256)), json!(GOOD), one("full_name", "string_too_long")),
            (json!("a\u{0}b"), json!(GOOD), one("full_name", "value_error")),
            (json!(null), json!(7), [one("full_name", "string_type"), one("password", "string_type")].concat()),
        ] {
            assert_eq!(issues(&sent(name, password).await), expected);
        }
        for path in [ACCEPT, JOIN] {
            let answer = owner.post_json(path, &json!({"token": 7})).await;
            assert_eq!(issues(&answer)[0], ("token".to_owned(), "string_type".to_owned()));
        }
        assert_eq!(issues(&app.get(ACCEPT).await), one("token", "missing"));
        assert_eq!(app.get(&format!("{ACCEPT}?token=%ff")).await.status, 400);
        assert_eq!(issues(&TestApp::send(owner.request("DELETE", &format!("{PATH}/x"))).await), one("invitation_id", "int_parsing"));
        for id in [0, -1, i64::MAX] {
            assert_code(&delete(&owner, id).await, 404, "not_found");
            assert_code(&resend(&owner, id).await, 404, "not_found");
        }
        assert_eq!(accept(&app, &token).await.status, 201, "none of it has used the link up");
    }

    async fn sending_again_voids_the_link_before_and_revoking_all_of_them(app: TestApp) {
        let (owner, stranger) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let (id, first) = invited(&app, &owner, "ann@example.com", &["cashier"]).await;
        app.clock.advance(6 * DAY);
        let owner = app.sign_in(&owner.email).await;
        let again = resend(&owner, id).await;
        assert_eq!((again.status, &again.json()["expires_at"]), (200, &json!("2025-12-03T08:15:30.123456Z")), "{}", again.text);
        let second = token(&app, "ann@example.com", &[&first]).await;
        assert_invalid(&show(&app, &first).await);
        assert_invalid(&accept(&app, &first).await);
        app.clock.advance(Duration::from_secs(7 * 86_400 - 1));
        assert_eq!(show(&app, &second).await.status, 200, "in its last second");
        app.clock.advance(Duration::from_secs(1));
        assert_invalid(&show(&app, &second).await);
        assert_invalid(&accept(&app, &second).await);
        let (owner, stranger) = (app.sign_in(&owner.email).await, app.sign_in(&stranger.email).await);
        assert_eq!(statuses(&owner).await, ["expired"]);
        assert_eq!(resend(&owner, id).await.status, 200, "also when its time is up");
        let third = token(&app, "ann@example.com", &[&first, &second]).await;
        assert_eq!(show(&app, &third).await.status, 200);

        assert_code(&delete(&stranger, id).await, 404, "not_found");
        assert_code(&resend(&stranger, id).await, 404, "not_found");
        assert_eq!(stranger.get(PATH).await.json()["total"], 0);
        assert_eq!((delete(&owner, id).await.status, delete(&owner, id).await.status), (204, 204));
        assert_invalid(&show(&app, &third).await);
        assert_invalid(&accept(&app, &third).await);
        assert_code(&resend(&owner, id).await, 400, "invalid_state");
        let answer = invite(&owner, "ann@example.com", &["cashier"]).await;
        let fourth = token(&app, "ann@example.com", &[&first, &second, &third]).await;
        assert_eq!(accept(&app, &fourth).await.status, 201);
        let id = answer.json()["id"].as_i64().unwrap();
        assert_code(&delete(&owner, id).await, 400, "invalid_state");
        assert_code(&resend(&owner, id).await, 400, "invalid_state");
        assert_eq!(statuses(&owner).await, ["accepted", "revoked"]);
        let recorded = ["sent", "resent", "resent", "revoked", "sent", "accepted"].map(|word| format!("invitations.{word}"));
        assert_eq!(actions(&app, owner.org).await, recorded);
    }

    async fn an_invitation_is_worth_what_its_sender_may_do_by_then(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        app.insert_user(owner.org, "second@example.com", HASH).await;
        app.sql(
            "INSERT INTO core.user_roles (user_id, org_id, role_id) SELECT u.id, u.org_id, r.id FROM core.users u CROSS JOIN core.roles r \
             WHERE u.email = 'second@example.com' AND r.code IN ('owner', 'admin')",
        )
        .await;
        let second = app.sign_in("second@example.com").await;
        let (as_owner, to_owner) = invited(&app, &second, "ann@example.com", &["owner"]).await;
        let (_, to_cashier) = invited(&app, &second, "bob@example.com", &["cashier"]).await;
        app.sql(&format!(
            "DELETE FROM core.user_roles WHERE user_id = {} AND role_id = (SELECT id FROM core.roles WHERE code = 'owner')", second.user
        ))
        .await;
        assert_invalid(&show(&app, &to_owner).await);
        assert_invalid(&accept(&app, &to_owner).await);
        assert_eq!(show(&app, &to_cashier).await.status, 200, "an admin may still send that one");
        app.sql(&format!("UPDATE core.users SET status = 'inactive' WHERE id = {}", second.user)).await;
        assert_invalid(&show(&app, &to_cashier).await);
        assert_invalid(&accept(&app, &to_cashier).await);
        assert_eq!(resend(&owner, as_owner).await.status, 200);
        let again = token(&app, "ann@example.com", &[&to_owner]).await;
        assert_eq!(accept(&app, &again).await.json()["roles"], json!(["owner"]), "who sends it again answers for it");
    }

    async fn tokens_of_another_kind_open_nothing(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let (_, token) = invited(&app, &owner, "ann@example.com", &["cashier"]).await;
        let stored = app.texts("SELECT token_hash FROM auth.invitations").await.remove(0).unwrap();
        let (padded, lower, other) = (format!("{token}="), token.to_lowercase(), token.replace("spi_", "spw_"));
        let large = "x".repeat(1_000_000);
        for odd in [&owner.token, &owner.refresh_token, &stored, &padded, &lower, &other, &large, "x", "spi_", "' OR 1=1 --"] {
            assert_invalid(&accept(&app, odd).await);
            assert_invalid(&join(&owner, odd).await);
        }
        assert_eq!(app.me(&token).await.status, 401);
        assert_eq!(app.refresh(&token).await.status, 401);
        let reset = app.post("/auth/reset-password", &json!({"token": other, "new_password": GOOD})).await;
        assert_eq!(reset.status, 400);
        let confirm = app.post("/api/v1/organizations/confirm", &json!({"token": token.replace("spi_", "spu_"), "password": GOOD})).await;
        assert_eq!(confirm.status, 400);
        assert_eq!(accept(&app, &token).await.status, 201);
    }

    async fn the_list_is_filtered_and_paged_newest_first(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for email in ["a_b@example.com", "axb@example.com", "a%b@example.com", "zoe@other.com"] {
            assert_eq!(invite(&owner, email, &["cashier"]).await.status, 201);
            app.clock.advance(Duration::from_secs(1));
        }
        let listed = async |query: &str| {
            let body = owner.get(&format!("{PATH}{query}")).await.json();
            let emails: Vec<String> = body["items"].as_array().unwrap().iter().map(|item| item["email"].as_str().unwrap().to_owned()).collect();
            (body["total"].as_i64().unwrap(), emails.join(" "))
        };
        assert_eq!(listed("").await, (4, "zoe@other.com a%b@example.com axb@example.com a_b@example.com".to_owned()));
        assert_eq!(listed("?search=A_B").await, (1, "a_b@example.com".to_owned()));
        assert_eq!(listed("?search=a%25b&status=pending").await, (1, "a%b@example.com".to_owned()));
        assert_eq!(listed("?search=%5C").await, (0, String::new()));
        assert_eq!(listed("?search=EXAMPLE&skip=1&limit=1").await, (3, "axb@example.com".to_owned()));
        assert_eq!(listed(&format!("?search={}", "_".repeat(26_000))).await, (0, String::new()), "no length is too long");
        assert_eq!(listed("?skip=4").await, (4, String::new()));
        assert_eq!(listed("?skip=9223372036854775807").await, (4, String::new()));
        assert_eq!(listed("?status=").await.0, 4);
        for nothing in ["accepted", "revoked", "expired", "PENDING", "x' OR 1=1"] {
            assert_eq!(listed(&format!("?status={}", nothing.replace(' ', "+"))).await, (0, String::new()), "{nothing}");
        }
        for bad in ["?limit=0", "?limit=501", "?skip=-1", "?skip=x", "?search=%00"] {
            assert_eq!(owner.get(&format!("{PATH}{bad}")).await.status, 422, "{bad}");
        }
    }
}
