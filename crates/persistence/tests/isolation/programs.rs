//! Keys of programs: each acts for its creator as they are in its own organization, and is counted there alone.

use sea_orm::ConnectionTrait as _;
use sme_pulse_domain::{
    api_key::{KeyName, KeyPrefix},
    ids::OrgId,
    permission::Permission,
    permission_set::PermissionSet,
    role::{Role, RoleSet},
    tenant::TenantScope,
};
use sme_pulse_persistence::{KeyTable, NewApiKey, NewServiceAccount};
use sme_pulse_testing::on_both_databases;

use crate::support::{TestStore, now};
use crate::{USER, scope, two};

/// One is the home of who made the keys, who belongs to the two others.
const PLACES: [(i64, &str, Role); 3] =
    [(1, "aaaaaaaaaaaa", Role::Cashier), (2, "bbbbbbbbbbbb", Role::Owner), (3, "cccccccccccc", Role::Accountant)];

/// People make keys for themselves alone.
#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const fn acting(org: i64) -> TenantScope {
    TenantScope::assume_verified(OrgId::new(org), Some(USER))
}

async fn run(test: &TestStore, schema: &str, table: &str, sql: &str) {
    let sql = sql.replace('$', &test.table(schema, table));
    test.operator.raw().execute_unprepared(&sql).await.unwrap();
}

fn prefix(text: &str) -> KeyPrefix {
    KeyPrefix::parse(text).unwrap()
}

/// A key in each of three organizations, and other roles of the same person in each.
async fn three(test: &TestStore) {
    two(test).await;
    run(test, "core", "organizations", "INSERT INTO $ (name) VALUES ('Org 3')").await;
    let roles =
        "INSERT INTO $ (code, name) VALUES ('owner', 'O'), ('cashier', 'C'), ('accountant', 'A'), ('admin', 'D')";
    run(test, "core", "roles", roles).await;
    let third = "INSERT INTO $ (org_id, email, password_hash) VALUES (2, 'u3@example.com', 'x')";
    run(test, "core", "users", third).await;
    // Others belong and have roles there, too.
    run(test, "auth", "memberships", "INSERT INTO $ (org_id, user_id) VALUES (3, 1), (1, 3), (1, 2), (3, 2)").await;
    for (user, org) in [(1, 1), (1, 3), (3, 1), (3, 2)] {
        let admin = format!("INSERT INTO $ (user_id, org_id, role_id) VALUES ({user}, {org}, 4)");
        run(test, "core", "user_roles", &admin).await;
    }
    let permissions: PermissionSet = [Permission::ReadPartners].into_iter().collect();
    for (org, text, role) in PLACES {
        let tx = test.store.begin(acting(org)).await.unwrap();
        tx.people().set_roles(USER, &RoleSet::from_iter([role]), now()).await.unwrap();
        let new = NewApiKey {
            name: &KeyName::parse("Books").unwrap(),
            prefix: prefix(text),
            key_hash: &"a".repeat(64),
            permissions: &permissions,
            created_by: USER,
            expires_at: None,
            at: now(),
        };
        tx.api_keys().add(&new).await.unwrap();
        tx.commit().await.unwrap();
    }
}

on_both_databases! {
    async fn a_key_acts_for_its_creator_as_they_are_in_its_own_organization(test: TestStore) {
        three(&test).await;
        for inactive in [1, 3] {
            let set = format!("UPDATE $ SET status = CASE WHEN (org_id = {inactive}) = (user_id = 2) THEN 'inactive' ELSE 'active' END");
            run(&test, "auth", "memberships", &set).await;
            for (org, text, role) in PLACES {
                let creator = test.store.api_key(prefix(text)).await.unwrap().unwrap().creator;
                assert_eq!((creator.user.id, creator.org), (USER, OrgId::new(org)));
                assert_eq!(creator.roles, RoleSet::from_iter([role]), "in {org}");
                assert_eq!(creator.is_member, org != inactive, "in {org}");
            }
        }
        run(&test, "core", "organizations", "UPDATE $ SET status = 'inactive' WHERE id = 3").await;
        for (org, text, _) in PLACES {
            let creator = test.store.api_key(prefix(text)).await.unwrap().unwrap().creator;
            assert_eq!(creator.org_status.is_active(), org != 3, "in {org}");
        }
    }

    async fn keys_are_counted_where_they_are(test: TestStore) {
        three(&test).await;
        for org in [1, 2, 3] {
            let tx = test.store.begin(scope(org)).await.unwrap();
            assert_eq!(tx.api_keys().count_live(now()).await.unwrap(), 1);
        }
    }

    async fn keys_are_revoked_where_they_are(test: TestStore) {
        three(&test).await;
        let live = async || test.numbers(&format!("SELECT org_id FROM {} WHERE revoked_at IS NULL ORDER BY 1", test.table("auth", "api_keys"))).await;
        let id = test.store.api_key(prefix("bbbbbbbbbbbb")).await.unwrap().unwrap().id;
        let tx = test.store.begin(scope(1)).await.unwrap();
        tx.api_keys().revoke(id, now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(live().await, [1, 2, 3]);
        let tx = test.store.begin(scope(1)).await.unwrap();
        assert_eq!(tx.api_keys().revoke_all_of(USER, now()).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
        assert_eq!(live().await, [2, 3]);
        let tx = test.store.begin(scope(2)).await.unwrap();
        tx.api_keys().revoke(id, now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(live().await, [3]);
    }

    async fn a_service_account_is_the_one_whose_key_is_shown(test: TestStore) {
        let permissions: PermissionSet = [Permission::InspectTokens].into_iter().collect();
        let tx = test.operator.begin_system().await.unwrap();
        for (name, text) in [("one", "aaaaaaaaaaaa"), ("two", "bbbbbbbbbbbb")] {
            let new = NewServiceAccount {
                name: &KeyName::parse(name).unwrap(),
                prefix: prefix(text),
                key_hash: &"a".repeat(64),
                permissions: &permissions,
                expires_at: None,
                at: now(),
            };
            tx.add_service_account(&new).await.unwrap();
        }
        tx.commit().await.unwrap();
        for (name, text) in [("one", "aaaaaaaaaaaa"), ("two", "bbbbbbbbbbbb")] {
            let found = test.store.service_account(prefix(text)).await.unwrap().unwrap();
            assert_eq!(found.account.name.as_str(), name);
        }
        assert!(test.store.service_account(prefix("cccccccccccc")).await.unwrap().is_none());
    }

    async fn the_last_use_of_a_key_is_that_keys_alone(test: TestStore) {
        three(&test).await;
        let accounts = "INSERT INTO $ (name, prefix, key_hash, permissions) VALUES ('one', 'aaaaaaaaaaaa', 'x', 'inspect_tokens'), ('two', 'bbbbbbbbbbbb', 'x', 'inspect_tokens')";
        run(&test, "auth", "service_accounts", &accounts.replace("'x'", &format!("'{}'", "a".repeat(64)))).await;
        for (kind, table) in [(KeyTable::ApiKeys, "api_keys"), (KeyTable::ServiceAccounts, "service_accounts")] {
            let tx = test.store.begin_system().await.unwrap();
            tx.note_keys_used(kind, &[2], (now(), now())).await.unwrap();
            tx.commit().await.unwrap();
            let used = format!("SELECT id FROM {} WHERE last_used_at IS NOT NULL", test.table("auth", table));
            assert_eq!(test.numbers(&used).await, [2], "{table}");
        }
    }
}
