//! People, their passwords, sessions and places: what one organization, person or token is asked for is not another's.

use sea_orm::ConnectionTrait as _;
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    role::{Role, RoleSet},
    session::{EndReason, Session},
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::{EndedSessions, NewOrganization, NewResetToken, PersonFilter, SignUpRow};
use sme_pulse_testing::on_both_databases;
use uuid::Uuid;

use crate::support::{TestStore, now};
use crate::{OURS, THEIRS, USER, later, scope, two};

const OUR_USER: UserId = UserId::new(1);
/// At home in 2 as well.
const OTHER: UserId = UserId::new(3);

#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const fn acting(org: i64, user: UserId) -> TenantScope {
    TenantScope::assume_verified(OrgId::new(org), Some(user))
}

fn roles<const N: usize>(roles: [Role; N]) -> RoleSet {
    roles.into_iter().collect()
}

async fn sql(test: &TestStore, schema: &str, table: &str, insert: &str) {
    let sql = insert.replace('$', &test.table(schema, table));
    test.operator.raw().execute_unprepared(&sql).await.unwrap();
}

/// The roles, and a third user who is at home in 2.
async fn people(test: &TestStore) {
    two(test).await;
    sql(test, "core", "roles", "INSERT INTO $ (code, name) VALUES ('owner', 'O'), ('cashier', 'C')").await;
    let third = "INSERT INTO $ (org_id, email, password_hash) VALUES (2, 'u3@example.com', 'x')";
    sql(test, "core", "users", third).await;
}

async fn open(test: &TestStore, (org, user): (i64, UserId), number: u128) {
    let tx = test.store.begin(acting(org, user)).await.unwrap();
    let session = Session {
        id: SessionId::new(Uuid::from_u128(number)),
        user,
        org: OrgId::new(org),
        created_at: now(),
        expires_at: later(),
        last_seen_at: None,
        client_ip: None,
        user_agent: None,
        revoked_at: None,
        authenticated_at: now(),
        methods: Methods::PASSWORD,
    };
    tx.sessions().open(&session).await.unwrap();
    tx.commit().await.unwrap();
}

async fn live(test: &TestStore, user: UserId) -> Vec<(i64, u128)> {
    let tx = test.store.begin(acting(1, user)).await.unwrap();
    let sessions = tx.sessions().live_of(user, now()).await.unwrap();
    let mut found: Vec<_> = sessions.iter().map(|one| (one.org.get(), one.id.get().as_u128())).collect();
    found.sort_unstable();
    found
}

on_both_databases! {
    async fn whose_password_was_given_is_known_at_home_alone(test: TestStore) {
        people(&test).await;
        let tx = test.store.begin(THEIRS).await.unwrap();
        tx.passwords().note_given(USER, now()).await.unwrap();
        tx.commit().await.unwrap();

        let tx = test.store.begin(OURS).await.unwrap();
        assert!(!tx.passwords().is_given(USER).await.unwrap());
        tx.passwords().note_own(USER).await.unwrap();
        tx.commit().await.unwrap();

        let tx = test.store.begin(THEIRS).await.unwrap();
        assert!(tx.passwords().is_given(USER).await.unwrap());
        tx.passwords().note_own(USER).await.unwrap();
        assert!(!tx.passwords().is_given(USER).await.unwrap());
    }

    async fn a_user_is_locked_for_a_change_only_while_the_organization_is_active(test: TestStore) {
        people(&test).await;
        sql(&test, "core", "organizations", "UPDATE $ SET status = 'inactive' WHERE id = 2").await;
        let tx = test.store.begin(THEIRS).await.unwrap();
        assert!(!tx.passwords().lock_active(USER).await.unwrap());
    }

    async fn a_reset_token_names_its_own_user_and_voiding_one_leaves_the_others(test: TestStore) {
        people(&test).await;
        let token = |user: UserId| user.get().to_string().repeat(64);
        for (scope, user) in [(OURS, OUR_USER), (THEIRS, USER), (THEIRS, OTHER)] {
            let tx = test.store.begin(scope).await.unwrap();
            let new = NewResetToken { user, hash: token(user), created_at: now(), expires_at: later() };
            tx.passwords().replace_reset_token(&new).await.unwrap();
            tx.commit().await.unwrap();
        }
        let tx = test.store.begin(THEIRS).await.unwrap();
        tx.passwords().void_reset_tokens(USER).await.unwrap();
        assert!(!tx.passwords().use_reset_token(USER, &token(OTHER), now()).await.unwrap());
        tx.commit().await.unwrap();
        let mut found = Vec::new();
        for user in [OUR_USER, USER, OTHER] {
            let email = test.store.email_of_reset_token(&token(user), now()).await.unwrap();
            found.push(email.map(|email| email.as_str().to_owned()));
        }
        assert_eq!(found, [Some("u1@example.com".to_owned()), None, Some("u3@example.com".to_owned())]);
    }

    async fn who_comes_from_elsewhere_belongs_where_they_joined_alone(test: TestStore) {
        people(&test).await;
        sql(&test, "core", "organizations", "INSERT INTO $ (name) VALUES ('Org 3')").await;
        let tx = test.store.begin(acting(2, OUR_USER)).await.unwrap();
        tx.newcomers().join(OUR_USER, now()).await.unwrap();
        tx.commit().await.unwrap();
        for (org, user, belongs) in
            [(1, OUR_USER, true), (2, OUR_USER, true), (3, OUR_USER, false), (1, USER, false), (2, USER, true)]
        {
            let tx = test.store.begin(scope(org)).await.unwrap();
            let found = tx.newcomers().belongs(user).await.unwrap();
            assert_eq!(found, belongs, "{user} in {org}");
            assert_eq!(tx.newcomers().roles_of(user).await.unwrap().is_some(), belongs, "{user} in {org}");
        }
    }

    async fn a_person_is_found_and_changed_at_home_alone(test: TestStore) {
        people(&test).await;
        let tx = test.store.begin(THEIRS).await.unwrap();
        let mut person = tx.people().find(USER).await.unwrap().unwrap();
        drop(tx);
        person.full_name = Some("Ours".to_owned());
        person.account = Status::Inactive;
        sql(&test, "auth", "memberships", "INSERT INTO $ (org_id, user_id) VALUES (1, 3)").await;

        let tx = test.store.begin(OURS).await.unwrap();
        assert!(tx.people().find(USER).await.unwrap().is_none());
        tx.people().save(&person, now()).await.unwrap();
        tx.commit().await.unwrap();
        let tx = test.store.begin(THEIRS).await.unwrap();
        assert_eq!(tx.people().find(USER).await.unwrap().unwrap().full_name, None);
        // A membership that they do not have; those of others stay.
        person.membership = Some(Status::Inactive);
        person.id = OTHER;
        tx.people().save(&person, now()).await.unwrap();
        tx.commit().await.unwrap();
        let tx = test.store.begin(OURS).await.unwrap();
        assert_eq!(tx.people().find(OTHER).await.unwrap().unwrap().membership, Some(Status::Active));
    }

    async fn roles_are_given_counted_and_listed_where_they_are_held(test: TestStore) {
        people(&test).await;
        sql(&test, "auth", "memberships", "INSERT INTO $ (org_id, user_id) VALUES (1, 2), (1, 3)").await;
        for (scope, user, held) in [
            (THEIRS, USER, roles([Role::Owner, Role::Cashier])),
            // An owner, but not at home.
            (OURS, OTHER, roles([Role::Owner])),
            (OURS, USER, roles([Role::Cashier])),
        ] {
            let tx = test.store.begin(scope).await.unwrap();
            tx.people().set_roles(user, &held, now()).await.unwrap();
            tx.commit().await.unwrap();
        }
        let owners = PersonFilter { role: Some("owner".to_owned()), ..PersonFilter::default() };
        for (scope, held, who) in [(OURS, roles([Role::Cashier]), OTHER), (THEIRS, roles([Role::Owner, Role::Cashier]), USER)] {
            let tx = test.store.begin(scope).await.unwrap();
            assert_eq!(tx.people().find(USER).await.unwrap().unwrap().roles, held);
            let (total, listed) = tx.people().list(&owners, 0, 10).await.unwrap();
            assert_eq!((total, listed.iter().map(|one| one.id).collect::<Vec<_>>()), (1, vec![who]));
            assert!(!tx.people().has_other_active_owner(USER).await.unwrap());
        }
        let tx = test.store.begin(THEIRS).await.unwrap();
        assert!(tx.people().has_other_active_owner(OTHER).await.unwrap());
    }

    async fn sessions_are_opened_listed_and_ended_for_their_own_person_and_organization(test: TestStore) {
        people(&test).await;
        sql(&test, "auth", "memberships", "INSERT INTO $ (org_id, user_id) VALUES (2, 1)").await;
        for (place, number) in [((1, OUR_USER), 1), ((2, OUR_USER), 2), ((2, USER), 3)] {
            open(&test, place, number).await;
        }
        assert_eq!(live(&test, OUR_USER).await, [(1, 1), (2, 2)]);
        let tx = test.store.begin(acting(1, OUR_USER)).await.unwrap();
        assert_eq!(tx.sessions().end_all_here(OUR_USER, EndReason::Ended, now()).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!((live(&test, OUR_USER).await, live(&test, USER).await), (vec![(2, 2)], vec![(2, 3)]));
        let tx = test.store.begin(acting(1, OUR_USER)).await.unwrap();
        let ended = tx.sessions().end_all_but((None, OUR_USER), EndReason::Ended, now()).await.unwrap();
        assert_eq!(ended, EndedSessions { here: 0, elsewhere: 1 });
        tx.commit().await.unwrap();
        assert_eq!((live(&test, OUR_USER).await, live(&test, USER).await), (vec![], vec![(2, 3)]));
    }

    async fn of_an_account_elsewhere_nothing_is_seen_or_searched_while_the_membership_is_inactive(test: TestStore) {
        people(&test).await;
        sql(&test, "core", "users", "UPDATE $ SET full_name = 'Nora', last_login_at = '2025-11-20 08:15:30.123456' WHERE id = 2").await;
        sql(&test, "auth", "memberships", "INSERT INTO $ (org_id, user_id) VALUES (1, 2)").await;
        let by = |text: &str| PersonFilter { search: Some(text.to_owned()), ..PersonFilter::default() };
        for (status, is_seen) in [("active", true), ("inactive", false)] {
            sql(&test, "auth", "memberships", &format!("UPDATE $ SET status = '{status}'")).await;
            for scope in [OURS, THEIRS] {
                let is_seen = is_seen || scope == THEIRS;
                let tx = test.store.begin(scope).await.unwrap();
                let found = tx.people().find(USER).await.unwrap().unwrap();
                assert_eq!((found.full_name.is_some(), found.last_login_at.is_some()), (is_seen, is_seen), "{status}");
                let (_, listed) = tx.people().list(&by("u2@"), 0, 10).await.unwrap();
                assert_eq!(listed, [found], "{status}");
                assert_eq!(tx.people().list(&by("nora"), 0, 10).await.unwrap().0, u64::from(is_seen), "{status}");
            }
        }
    }

    async fn who_comes_in_acts_with_the_roles_held_here_while_the_organization_is_active(test: TestStore) {
        people(&test).await;
        sql(&test, "auth", "memberships", "INSERT INTO $ (org_id, user_id) VALUES (1, 2)").await;
        let held = [(OURS, roles([Role::Cashier])), (THEIRS, roles([Role::Owner]))];
        for (scope, held) in &held {
            let tx = test.store.begin(*scope).await.unwrap();
            tx.people().set_roles(USER, held, now()).await.unwrap();
            tx.commit().await.unwrap();
        }
        for (scope, held) in held {
            let tx = test.store.begin(scope).await.unwrap();
            assert_eq!(tx.newcomers().roles_of(USER).await.unwrap(), Some(held));
        }
        sql(&test, "core", "organizations", "UPDATE $ SET status = 'inactive' WHERE id = 1").await;
        for (scope, may_act) in [(OURS, false), (THEIRS, true)] {
            let tx = test.store.begin(scope).await.unwrap();
            assert_eq!(tx.newcomers().roles_of(USER).await.unwrap().is_some(), may_act);
        }
    }

    async fn a_persons_places_each_have_their_own_roles(test: TestStore) {
        people(&test).await;
        sql(&test, "auth", "memberships", "INSERT INTO $ (org_id, user_id) VALUES (1, 2)").await;
        for (scope, held) in [(OURS, roles([Role::Cashier])), (THEIRS, roles([Role::Owner]))] {
            let tx = test.store.begin(scope).await.unwrap();
            tx.people().set_roles(USER, &held, now()).await.unwrap();
            tx.commit().await.unwrap();
        }
        let places = test.store.places_of(USER).await.unwrap();
        let found: Vec<_> = places.iter().map(|place| (place.org.get(), place.is_home, place.roles.codes())).collect();
        assert_eq!(found, [(2, true, "owner".to_owned()), (1, false, "cashier".to_owned())]);
    }

    async fn a_sign_up_is_taken_by_its_own_token_and_only_a_taken_tax_code_is_taken(test: TestStore) {
        people(&test).await;
        sql(&test, "core", "organizations", "UPDATE $ SET tax_code = 'T1' WHERE id = 1").await;
        assert!(test.store.is_tax_code_taken("T1").await.unwrap());
        assert!(!test.store.is_tax_code_taken("T2").await.unwrap());
        for number in ["1", "2"] {
            let new = SignUpRow {
                email: Email::parse(&format!("new{number}@example.com")).unwrap(),
                full_name: "New".to_owned(),
                password_hash: "x".to_owned(),
                organization: NewOrganization { name: "New".to_owned(), tax_code: None },
            };
            test.store.keep_sign_up(&new, &number.repeat(64), (now(), later())).await.unwrap();
        }
        let tx = test.store.begin_system().await.unwrap();
        let taken = tx.take_sign_up(&"2".repeat(64), now()).await.unwrap().unwrap();
        assert_eq!(taken.email.as_str(), "new2@example.com");
        assert!(tx.take_sign_up(&"2".repeat(64), now()).await.unwrap().is_none());
        assert!(tx.take_sign_up(&"1".repeat(64), now()).await.unwrap().is_some());
    }
}
