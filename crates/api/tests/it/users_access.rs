//! Who may do what to whom over HTTP, and what of other organizations can be seen: nothing.

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, TestApp, USERS, claims_but, mint, new_user, user_path};

fn assert_forbidden(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text);
    let text = "Insufficient permissions";
    answer.assert_envelope(403, text, text, "insufficient_permissions");
}

fn assert_unknown(answer: &Answer) {
    answer.assert_envelope(404, "User not found", "User not found", "not_found");
}

/// A person's session turned into one for another organization, as switching does it.
async fn switched<'a>(app: &'a TestApp, home: &Member<'a>, org: i64) -> Member<'a> {
    let mut there = app.sign_in(&home.email).await;
    let session = super::support::claims(&there.token)["sid"].as_str().unwrap().to_owned();
    app.sql(&format!("UPDATE auth.sessions SET org_id = {org} WHERE id = '{session}'")).await;
    there.token = mint(&claims_but(&there.token, "org_id", Some(json!(org))));
    there
}

on_both_databases! {
    async fn who_is_neither_owner_nor_admin_reaches_themselves_only_and_their_name_only(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for (number, roles) in [vec![Role::Accountant], vec![Role::Cashier], vec![Role::Accountant, Role::Cashier], vec![]].into_iter().enumerate() {
            let member = app.colleague(owner.org, &format!("c{number}@example.com"), &roles).await;
            // Every other id is refused alike, with or without a row, whatever is sent.
            for id in [owner.user, app.admin().await.user, 0, -1, i64::MAX] {
                assert_forbidden(&member.get(&user_path(id)).await, "read");
                for body in [json!({}), json!({"full_name": "x"}), json!({"full_name": 7}), json!([])] {
                    assert_forbidden(&member.put(&user_path(id), &body).await, "update");
                }
                assert_forbidden(&member.delete(&user_path(id)).await, "delete");
                assert_forbidden(&member.post(&format!("{}/reset-password", user_path(id))).await, "reset");
            }
            assert_forbidden(&member.get(USERS).await, "list");
            assert_forbidden(&member.post_json(USERS, &json!([])).await, "create");
            let me = user_path(member.user);
            assert_forbidden(&member.delete(&me).await, "delete");
            assert_forbidden(&member.post(&format!("{me}/reset-password")).await, "reset");

            let seen = member.get(&me).await.json();
            assert_eq!((seen["id"].as_i64(), seen["org_id"].as_i64()), (Some(member.user), Some(owner.org)));
            for patch in [json!({"role": "admin"}), json!({"roles": ["owner"]}), json!({"status": "inactive"}), json!({"full_name": "Half", "role": "owner"})] {
                assert_forbidden(&member.put(&me, &patch).await, "own roles and status");
            }
            assert_eq!(member.get(&me).await.json(), seen, "nothing is half-written");
            let mut same = json!({"full_name": "Own Name", "status": "active"});
            if let Some(first) = roles.first() {
                same["role"] = json!(first.code());
                same["roles"] = seen["roles"].clone();
            }
            let named = member.put(&me, &same).await.json();
            assert_eq!((&named["full_name"], &named["roles"]), (&json!("Own Name"), &seen["roles"]));
            assert_eq!(app.me(&member.token).await.json()["full_name"], "Own Name", "the next request sees it");
        }
    }

    async fn admins_act_on_everybody_but_owners_and_grant_everything_but_owner(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let admin = app.colleague(owner.org, "admin@example.com", &[Role::Admin]).await;
        let boss = user_path(owner.user);
        for patch in [json!({}), json!({"full_name": "x"}), json!({"roles": ["cashier"]}), json!({"role": "owner"}), json!({"status": "inactive"})] {
            assert_forbidden(&admin.put(&boss, &patch).await, "an owner");
        }
        assert_forbidden(&admin.delete(&boss).await, "an owner");
        for body in [json!({}), json!({"new_password": "another passphrase"})] {
            assert_forbidden(&admin.post_json(&format!("{boss}/reset-password"), &body).await, "an owner's password");
        }
        assert_eq!(admin.get(&boss).await.status, 200, "reading is no acting");
        for roles in [json!(["owner"]), json!(["cashier", "owner"])] {
            assert_forbidden(&admin.post_json(USERS, &new_user("x@example.com", roles)).await, "adding an owner");
        }
        assert_forbidden(&admin.put(&user_path(admin.user), &json!({"roles": ["owner", "admin"]})).await, "themselves");
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users WHERE email = 'x@example.com'").await, [0]);

        let added = admin.post_json(USERS, &new_user("x@example.com", json!(["admin", "cashier"]))).await.json();
        let path = user_path(added["id"].as_i64().unwrap());
        assert_forbidden(&admin.put(&path, &json!({"roles": ["owner"]})).await, "granting owner");
        assert_eq!(admin.put(&path, &json!({"role": "accountant"})).await.json()["roles"], json!(["accountant"]));
        assert_eq!(admin.post(&format!("{path}/reset-password")).await.status, 200);
        assert_eq!(admin.delete(&path).await.status, 204);
    }

    async fn people_of_another_organization_do_not_exist(app: TestApp) {
        let (owner, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let theirs = app.colleague(other.org, "theirs@example.com", &[Role::Cashier]).await;
        let before = app.texts("SELECT email FROM core.users ORDER BY id").await;
        let events = app.numbers("SELECT COUNT(*) FROM auth.audit_log").await;
        for id in [other.user.to_string(), theirs.user.to_string(), "0".into(), "-1".into(), i64::MAX.to_string(), i64::MIN.to_string(), "9".repeat(60), format!("-{}", "9".repeat(60))] {
            let path = format!("{USERS}/{id}");
            assert_unknown(&owner.get(&path).await);
            for patch in [json!({}), json!({"full_name": "x"}), json!({"roles": ["cashier"], "org_id": owner.org}), json!({"status": "inactive"})] {
                assert_unknown(&owner.put(&path, &patch).await);
            }
            assert_unknown(&owner.delete(&path).await);
            assert_unknown(&owner.post(&format!("{path}/reset-password")).await);
            assert_unknown(&owner.post_json(&format!("{path}/reset-password"), &json!({"new_password": "another passphrase"})).await);
        }
        for id in ["x", "1.0", "1e3", "%20", "٣", "1%00"] {
            for method in ["GET", "PUT", "DELETE"] {
                let answer = TestApp::send(owner.request(method, &format!("{USERS}/{id}")).json(&json!({}))).await;
                assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["path", "user_id"])), "{method} {id}");
            }
            assert_eq!(owner.post(&format!("{USERS}/{id}/reset-password")).await.status, 422);
        }
        for query in ["", "search=theirs", "search=example.com", &format!("org_id={}", other.org), "role=cashier"] {
            assert!(owner.listed(query, "org_id").await.1.iter().all(|org| org.as_i64() == Some(owner.org)), "{query}");
        }
        assert_eq!(app.texts("SELECT email FROM core.users ORDER BY id").await, before);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.audit_log").await, events);
        assert_eq!(app.me(&theirs.token).await.status, 200);
    }

    async fn of_a_member_from_elsewhere_the_membership_and_the_roles_here_are_ours_and_nothing_more(app: TestApp) {
        let (owner, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        app.join(owner.org, &other.email, &[Role::Accountant]).await;
        let here = switched(&app, &other, owner.org).await;
        let path = user_path(other.user);
        let seen = owner.get(&path).await.json();
        assert_eq!((&seen["roles"], &seen["status"], seen["org_id"].as_i64()), (&json!(["accountant"]), &json!("active"), Some(owner.org)));
        assert_eq!(here.get(&path).await.json(), seen, "they see the same of themselves here");
        let home = other.get(&path).await.json();
        assert_eq!((&home["roles"], home["org_id"].as_i64()), (&json!(["owner"]), Some(other.org)));

        // The name and the password are their home's, also for themselves.
        let kept = "The name of a member from another organization cannot be changed here.";
        for asking in [&owner, &here] {
            for name in [json!("Mine"), Value::Null] {
                asking.put(&path, &json!({"full_name": name})).await.assert_envelope(400, kept, kept, "rule_violated");
            }
            assert_eq!(asking.put(&path, &json!({"full_name": seen["full_name"], "role": "accountant"})).await.status, 200);
        }
        for body in [json!({}), json!({"new_password": "another passphrase"})] {
            assert_forbidden(&owner.post_json(&format!("{path}/reset-password"), &body).await, "their password");
        }

        // Roles are those here, from the next request on; at home nothing changes.
        assert_eq!(here.get(USERS).await.status, 403);
        assert_eq!(owner.put(&path, &json!({"roles": ["admin"]})).await.json()["roles"], json!(["admin"]));
        assert_eq!(here.get(USERS).await.status, 200);
        assert_forbidden(&here.delete(&user_path(owner.user)).await, "an owner");
        assert_eq!(other.get(&path).await.json()["roles"], json!(["owner"]));

        // Leaving ends what they have here, and nothing at home.
        assert_eq!(owner.delete(&path).await.status, 204);
        assert_eq!(here.get(USERS).await.status, 401);
        assert_eq!(other.get(&path).await.json()["status"], "active");
        assert_eq!(owner.get(&path).await.json()["status"], "inactive");
        assert_eq!(owner.listed("status=inactive", "id").await.1, [json!(other.user)]);
        // What their account is called now and when it was used is no longer ours to see.
        app.sql(&format!("UPDATE core.users SET full_name = 'Nora' WHERE id = {}", other.user)).await;
        let gone = owner.get(&path).await.json();
        assert_eq!((&gone["full_name"], &gone["last_login"]), (&Value::Null, &Value::Null));
        for name in ["full_name", "last_login"] {
            assert_eq!(owner.listed("status=inactive", name).await.1, [Value::Null]);
        }
        assert_eq!(owner.listed("search=nora", "id").await, (0, Vec::new()));
        assert_eq!(app.log_in(&other.email, "123456").await.status, 200);
        let back = owner.put(&path, &json!({"status": "active"})).await.json();
        assert_eq!((&back["status"], &back["full_name"]), (&json!("active"), &json!("Nora")));
        let left = owner.put(&path, &json!({"status": "inactive"})).await.json();
        assert_eq!((&left["status"], &left["full_name"]), (&json!("inactive"), &Value::Null));
        assert_eq!(owner.put(&path, &json!({"status": "active"})).await.status, 200);
        assert_eq!(here.get(USERS).await.status, 401, "the old session stays over");

        // An account that its home has closed is inactive here too, and is not opened from here.
        app.sql(&format!("UPDATE core.users SET status = 'inactive' WHERE id = {}", other.user)).await;
        assert_eq!(owner.get(&path).await.json()["status"], "inactive");
        let closed = "The account of this member was deactivated by their own organization.";
        owner.put(&path, &json!({"status": "active"})).await.assert_envelope(400, closed, closed, "rule_violated");
    }

    async fn owners_from_elsewhere_do_not_count_because_their_home_may_close_their_accounts(app: TestApp) {
        let (owner, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        app.join(owner.org, &other.email, &[Role::Owner]).await;
        let here = switched(&app, &other, owner.org).await;
        let last = "The organization must keep at least one active owner.";
        here.put(&user_path(owner.user), &json!({"roles": ["cashier"]})).await.assert_envelope(400, last, last, "rule_violated");
        here.delete(&user_path(owner.user)).await.assert_envelope(400, last, last, "rule_violated");
        assert_eq!(here.delete(&user_path(other.user)).await.json()["detail"], "You cannot delete your own account.");
        // At home they are the last owner as well, and what holds there is another matter.
        other.put(&user_path(other.user), &json!({"roles": ["cashier"]})).await.assert_envelope(400, last, last, "rule_violated");
        // As long as somebody at home is an owner, they may go.
        assert_eq!(here.put(&user_path(other.user), &json!({"roles": ["cashier"]})).await.status, 200);
    }
}
