//! Many at once: the last owner stays, an address is given once, and sets of roles are never mixed.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_auth::service::{CreateUser, SetPassword, UserError};
use sme_pulse_domain::{
    audit::Origin,
    email::Email,
    ids::UserId,
    person::{PersonPatch, RoleChange},
    role::Role,
};
use sme_pulse_testing::on_both_databases;
use zeroize::Zeroizing;

use super::support::{TestApp, USERS, new_user, user_path};

async fn active_owners(app: &TestApp, org: i64) -> i64 {
    app.numbers(&format!(
        "SELECT COUNT(*) FROM core.users u JOIN core.user_roles ur ON ur.user_id = u.id AND ur.org_id = u.org_id \
         JOIN core.roles r ON r.id = ur.role_id WHERE r.code = 'owner' AND u.status = 'active' AND u.org_id = {org}"
    ))
    .await[0]
}

on_both_databases! {
    async fn of_two_owners_who_all_demote_or_deactivate_each_other_one_stays(app: TestApp) {
        for round in 0..3 {
            let one = app.member(&[Role::Owner]).await;
            let other = app.colleague(one.org, &format!("second{round}@example.com"), &[Role::Owner]).await;
            let calls = (0..32).map(|number| {
                let (acting, target) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
                let path = user_path(target.user);
                async move {
                    match number % 3 {
                        0 => acting.put(&path, &json!({"roles": ["cashier"]})).await,
                        1 => acting.put(&path, &json!({"status": "inactive"})).await,
                        _ => acting.delete(&path).await,
                    }
                }
            });
            let answers = join_all(calls).await;
            assert_eq!(active_owners(&app, one.org).await, 1);
            let done = answers.iter().filter(|answer| answer.status < 300).count();
            assert!(done >= 1);
            for answer in answers {
                assert!([200, 204, 400, 401, 403].contains(&answer.status), "{}", answer.text);
            }
        }
    }

    async fn owners_who_step_back_at_once_leave_one(app: TestApp) {
        let first = app.member(&[Role::Owner]).await;
        let mut owners = vec![app.sign_in(&first.email).await];
        for number in 0..7 {
            owners.push(app.colleague(first.org, &format!("o{number}@example.com"), &[Role::Owner]).await);
        }
        let answers = join_all(owners.iter().map(async |owner| owner.put(&user_path(owner.user), &json!({"role": "admin"})).await)).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 400]);
        let refused = answers.into_iter().find(|answer| answer.status == 400).unwrap();
        assert_eq!(refused.json()["detail"], "The organization must keep at least one active owner.");
        assert_eq!(active_owners(&app, first.org).await, 1);
    }

    async fn an_address_is_given_once_also_across_organizations(app: TestApp) {
        let (one, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let calls = (0..12).map(|number| {
            let asking = if number % 2 == 0 { &one } else { &other };
            let email = if number % 3 == 0 { "Ann@Example.com" } else { "ann@example.com" };
            async move { asking.post_json(USERS, &new_user(email, json!(["cashier", "admin"]))).await }
        });
        let answers = join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            refused.assert_envelope(400, "Email already registered", "Email already registered", "duplicate");
        }
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users WHERE email = 'ann@example.com'").await, [1]);
        let roles = "SELECT COUNT(*) FROM core.user_roles WHERE user_id = (SELECT id FROM core.users WHERE email = 'ann@example.com')";
        assert_eq!(app.numbers(roles).await, [2]);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.audit_log WHERE action = 'users.created'").await, [1]);
    }

    async fn parallel_sets_of_roles_never_mix(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let user = owner.post_json(USERS, &new_user("ann@example.com", json!(["cashier"]))).await.json()["id"].as_i64().unwrap();
        let sets = [json!(["admin", "accountant"]), json!(["cashier"]), json!(["owner", "cashier"]), json!(["owner", "admin", "accountant", "cashier"])];
        let answers = join_all((0..32).map(|number| {
            let (set, path) = (sets[number % 4].clone(), user_path(user));
            let owner = &owner;
            async move { (owner.put(&path, &json!({"roles": set})).await, set) }
        }))
        .await;
        for (answer, set) in answers {
            assert_eq!((answer.status, &answer.json()["roles"]), (200, &set));
        }
        let held: Value = owner.get(&user_path(user)).await.json()["roles"].clone();
        assert!(sets.contains(&held), "{held}");
    }

    async fn roles_that_were_taken_away_after_the_guard_looked_count_for_nothing(app: TestApp) {
        let (owner, origin) = (app.member(&[Role::Owner]).await, Origin::default());
        let stale = app.colleague(owner.org, "stale@example.com", &[Role::Owner]).await;
        let other = app.colleague(owner.org, "other@example.com", &[Role::Cashier]).await;
        let (as_it_was, path) = (app.auth.authenticate(&stale.token).await.unwrap(), user_path(stale.user));
        let patch = PersonPatch { roles: Some(RoleChange::ToHold(Role::Owner)), ..PersonPatch::default() };
        let refused = async |what: &str| {
            let id = UserId::new(other.user);
            let new = || CreateUser {
                email: Email::parse("new@example.com").unwrap(),
                full_name: "New".to_owned(),
                password: Zeroizing::new("a good passphrase".to_owned()),
                roles: [Role::Cashier].into_iter().collect(),
                origin: Origin::default(),
            };
            let set = SetPassword { user: id, new: None, origin: Origin::default() };
            for outcome in [
                app.auth.update_user(&as_it_was, id, &patch, &origin).await.map(drop),
                app.auth.update_user(&as_it_was, UserId::new(stale.user), &patch, &origin).await.map(drop),
                app.auth.deactivate_user(&as_it_was, id, &origin).await.map(drop),
                app.auth.create_user(&as_it_was, new()).await.map(drop),
                app.auth.set_password(&as_it_was, set).await.map(drop),
            ] {
                assert!(matches!(outcome, Err(UserError::Access(_))), "{what}: {outcome:?}");
            }
        };
        assert_eq!(owner.put(&path, &json!({"roles": ["cashier"]})).await.status, 200);
        refused("demoted").await;
        assert_eq!(owner.delete(&path).await.status, 204);
        refused("deactivated").await;
        assert_eq!(owner.put(&path, &json!({"roles": ["owner"], "status": "active"})).await.status, 200);
        assert!(app.auth.update_user(&as_it_was, UserId::new(other.user), &patch, &origin).await.is_ok());
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users WHERE email = 'new@example.com'").await, [0]);
    }
}
