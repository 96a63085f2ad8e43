//! The people of an organization on both engines: its own and those from elsewhere, in one list and one order.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, UserId},
    person::{NewPerson, Person},
    role::{Role, RoleSet},
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::PersonFilter;
use sme_pulse_testing::on_both_databases;
use support::{HASH, TestStore, now};

#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const fn scope(org: i64) -> TenantScope {
    TenantScope::assume_verified(OrgId::new(org), None)
}

fn at(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn new(email: &str, name: &str, roles: &[Role]) -> NewPerson {
    NewPerson {
        email: Email::parse(email).unwrap(),
        password_hash: HASH.to_owned(),
        full_name: Some(name.to_owned()),
        status: Status::Active,
        roles: roles.iter().copied().collect(),
    }
}

/// A user in the seeded organization and one in another, who is a member of the seeded one since the first second.
async fn people(test: &TestStore) -> (i64, UserId, UserId) {
    test.seed().await;
    let ours = test.numbers(&format!("SELECT id FROM {}", test.table("core", "organizations"))).await[0];
    let insert = format!("INSERT INTO {} (name) VALUES ('Other')", test.table("core", "organizations"));
    test.operator.raw().execute_unprepared(&insert).await.unwrap();
    let theirs = test.numbers(&format!("SELECT MAX(id) FROM {}", test.table("core", "organizations"))).await[0];
    let tx = test.store.begin(scope(ours)).await.unwrap();
    let ann = tx.people().create(&new("ann@example.com", "Ann Größe", &[Role::Cashier, Role::Owner]), at(2)).await;
    tx.commit().await.unwrap();
    let tx = test.store.begin(scope(theirs)).await.unwrap();
    let bob = tx.people().create(&new("bob@example.com", "Bob_100%\\", &[Role::Owner]), at(9)).await.unwrap();
    tx.commit().await.unwrap();
    let joined = format!(
        "INSERT INTO {} (org_id, user_id, created_at, updated_at) SELECT {ours}, {bob}, created_at, updated_at FROM {} WHERE id = {}",
        test.table("auth", "memberships"),
        test.table("core", "users"),
        ann.as_ref().unwrap(),
    );
    test.operator.raw().execute_unprepared(&joined).await.unwrap();
    (ours, ann.unwrap(), bob)
}

async fn found(test: &TestStore, org: i64, filter: PersonFilter) -> Vec<i64> {
    let tx = test.store.begin_read(scope(org)).await.unwrap();
    let (total, list) = tx.people().list(&filter, 0, 100).await.unwrap();
    assert_eq!(total, u64::try_from(list.len()).unwrap());
    list.iter().map(|person| person.id.get()).collect()
}

async fn find(test: &TestStore, org: i64, user: UserId) -> Option<Person> {
    test.store.begin_read(scope(org)).await.unwrap().people().find(user).await.unwrap()
}

on_both_databases! {
    async fn members_from_elsewhere_stand_among_the_own_users_by_when_they_joined(test: TestStore) {
        let (org, ann, bob) = people(&test).await;
        let tx = test.store.begin(scope(org)).await.unwrap();
        let accountant: RoleSet = [Role::Accountant].into_iter().collect();
        tx.people().set_roles(bob, &accountant, at(3)).await.unwrap();
        tx.commit().await.unwrap();
        let admin = test.store.account_by_email(&Email::parse("admin@sme.com").unwrap()).await.unwrap().unwrap().user.id;

        assert_eq!(found(&test, org, PersonFilter::default()).await, [bob.get(), ann.get(), admin.get()]);
        let seen = find(&test, org, bob).await.unwrap();
        assert_eq!((seen.org.get(), seen.membership, &seen.roles), (org, Some(Status::Active), &accountant));
        assert_eq!((seen.created_at, seen.account), (at(2), Status::Active));
        let own = find(&test, org, ann).await.unwrap();
        assert_eq!((own.membership, own.roles), (None, [Role::Owner, Role::Cashier].into_iter().collect()));

        // At home the roles are others, and nobody of ours is seen.
        let home = find(&test, org + 1, bob).await.unwrap();
        assert_eq!((home.membership, home.roles, home.created_at), (None, [Role::Owner].into_iter().collect(), at(9)));
        assert_eq!(find(&test, org + 1, ann).await, None);
        assert_eq!(found(&test, org + 1, PersonFilter::default()).await, [bob.get()]);
    }

    async fn filters_confine_both_halves_and_no_character_of_a_search_is_special(test: TestStore) {
        let (org, ann, bob) = people(&test).await;
        let search = async |text: &str| {
            found(&test, org, PersonFilter { search: Some(text.to_owned()), ..PersonFilter::default() }).await
        };
        assert_eq!(search("EXAMPLE.COM").await, [bob.get(), ann.get()]);
        assert_eq!(search("ann gr").await, [ann.get()]);
        for (text, hits) in [("_100%", 1), ("%\\", 1), ("%", 1), ("_", 1), ("\\", 1), ("b%b", 0), ("a_n", 0), ("'", 0), ("\"", 0)] {
            assert_eq!(search(text).await.len(), hits, "{text}");
        }
        assert_eq!(search(&"_".repeat(100_000)).await, [0; 0]);

        let with = async |role: Option<&str>, status: Option<&str>| {
            let filter = PersonFilter { role: role.map(Into::into), status: status.map(Into::into), ..PersonFilter::default() };
            found(&test, org, filter).await
        };
        // Bob is an owner elsewhere, but holds nothing here.
        assert_eq!(with(Some("owner"), None).await.len(), 2);
        assert_eq!(with(Some("cashier"), Some("active")).await, [ann.get()]);
        assert_eq!((with(Some("king"), None).await, with(None, Some("gone")).await), (vec![], vec![]));

        let tx = test.store.begin(scope(org)).await.unwrap();
        let mut left = tx.people().find(bob).await.unwrap().unwrap();
        left.membership = Some(Status::Inactive);
        tx.people().save(&left, at(5)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(with(None, Some("inactive")).await, [bob.get()]);
        assert_eq!(with(None, Some("active")).await.len(), 2);
        assert_eq!(find(&test, org + 1, bob).await.unwrap().status(), Status::Active, "at home nothing has changed");
        assert_eq!(find(&test, org, bob).await.unwrap().updated_at, at(5));
    }

    async fn paging_neither_repeats_nor_leaves_out_and_ends(test: TestStore) {
        let (org, ..) = people(&test).await;
        let all = found(&test, org, PersonFilter::default()).await;
        let tx = test.store.begin_read(scope(org)).await.unwrap();
        let mut paged = Vec::new();
        for skip in 0..4 {
            let (total, page) = tx.people().list(&PersonFilter::default(), skip, 1).await.unwrap();
            assert_eq!(total, 3);
            paged.extend(page.iter().map(|person| person.id.get()));
        }
        assert_eq!(paged, all);
        let beyond = tx.people().list(&PersonFilter::default(), i64::MAX.unsigned_abs(), 500).await.unwrap();
        assert_eq!(beyond, (3, vec![]));
    }

    async fn roles_are_replaced_as_a_set_and_only_here(test: TestStore) {
        let (org, ann, bob) = people(&test).await;
        for wanted in [vec![Role::Admin], vec![], vec![Role::Owner, Role::Admin, Role::Cashier], vec![Role::Cashier]] {
            let tx = test.store.begin(scope(org)).await.unwrap();
            let wanted: RoleSet = wanted.into_iter().collect();
            tx.people().set_roles(ann, &wanted, at(7)).await.unwrap();
            tx.people().set_roles(bob, &wanted, at(7)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(find(&test, org, ann).await.unwrap().roles, wanted);
            assert_eq!(find(&test, org, bob).await.unwrap().roles, wanted);
        }
        assert_eq!(find(&test, org + 1, bob).await.unwrap().roles, [Role::Owner].into_iter().collect());
    }

    async fn an_address_is_taken_in_every_organization(test: TestStore) {
        let (org, ..) = people(&test).await;
        let tx = test.store.begin(scope(org)).await.unwrap();
        let error = tx.people().create(&new("Bob@Example.com", "Again", &[]), at(9)).await.unwrap_err();
        assert!(error.is_duplicate_of("email"), "{error:?}");
    }

    async fn other_active_owners_are_those_who_take_part_here(test: TestStore) {
        let (org, ann, bob) = people(&test).await;
        let others = async |but: UserId| {
            test.store.begin_read(scope(org)).await.unwrap().people().has_other_active_owner(but).await.unwrap()
        };
        let admin = test.store.account_by_email(&Email::parse("admin@sme.com").unwrap()).await.unwrap().unwrap().user.id;
        assert!(others(ann).await && others(admin).await);
        let tx = test.store.begin(scope(org)).await.unwrap();
        let mut out = tx.people().find(admin).await.unwrap().unwrap();
        out.account = Status::Inactive;
        tx.people().save(&out, at(5)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!others(ann).await, "inactive, and an owner elsewhere");
        let tx = test.store.begin(scope(org)).await.unwrap();
        tx.people().set_roles(bob, &[Role::Owner].into_iter().collect(), at(6)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!others(ann).await, "an owner from elsewhere, whose home may close the account");
        assert!(others(bob).await);
    }
}
