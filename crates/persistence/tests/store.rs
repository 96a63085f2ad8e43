//! What the storage promises on both engines: seeds, the audit chain, look-ups, tenancy and error kinds.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "store/audit.rs"]
mod audit;
#[path = "store/chores.rs"]
mod chores;
#[path = "store/revocations.rs"]
mod revocations;
#[path = "store/row_security.rs"]
mod row_security;
mod support;

use std::sync::Arc;

use sea_orm::ConnectionTrait as _;
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    role::Role,
    session::{EndReason, Session},
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::{
    DatabaseSettings, Engine, LogInRecord, PasswordAsOf, RenewedHash, Rotation, Step, Store, StoreError, seed,
};
use sme_pulse_testing::on_both_databases;
use support::{HASH, TestStore, now};
use uuid::Uuid;

#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const fn scope(org: i64) -> TenantScope {
    TenantScope::assume_verified(OrgId::new(org), None)
}

async fn admin(store: &Store) -> sme_pulse_domain::user::Account {
    store.account_by_email(&Email::parse("ADMIN@sme.com").unwrap()).await.unwrap().unwrap()
}

fn session(user: UserId, org: OrgId) -> Session {
    Session {
        id: SessionId::new(Uuid::from_u128(77)),
        user,
        org,
        created_at: now(),
        expires_at: now() + chrono::Duration::minutes(30),
        last_seen_at: None,
        client_ip: Some("192.0.2.1".into()),
        user_agent: Some("curl".into()),
        revoked_at: None,
        authenticated_at: now(),
        methods: Methods::PASSWORD,
    }
}

async fn open(store: &Store, session: Session) -> Session {
    let tx = store.begin(scope(session.org.get())).await.unwrap();
    tx.sessions().open(&session).await.unwrap();
    tx.commit().await.unwrap();
    session
}

on_both_databases! {
    async fn a_pool_of_one_serves_requests_while_changes_are_followed(test: TestStore) {
        let mut settings = support::settings(&test.database);
        if let DatabaseSettings::Postgres { pool_size, max_overflow, .. } = &mut settings {
            (*pool_size, *max_overflow) = (1, 0);
        }
        let store = Store::open(&settings, support::counting()).await.unwrap();
        let feed = store.follow_changes(Arc::new(|_| {}));
        // Until the listener has its connection.
        while !feed.is_current() {
            tokio::task::yield_now().await;
        }
        let tx = store.begin(scope(1)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn a_second_seed_changes_nothing_and_says_so(test: TestStore) {
        let first = test.seed().await;
        assert!(first.anything_new());
        assert!(first.render("123456").contains("  Created account: Bank Account (1002)"));
        let second = test.seed().await;
        assert!(!second.anything_new());
        let text = second.render("123456");
        for line in ["  Role already exists: owner", "  User already exists: admin@sme.com", "  Password: (unchanged)"] {
            assert!(text.contains(line), "{text}");
        }
        let counts = [("core", "roles", 4), ("core", "organizations", 1), ("core", "users", 1), ("core", "user_roles", 2),
            ("finance", "customers", 2), ("finance", "suppliers", 2), ("finance", "accounts", 2), ("auth", "audit_log", 1)];
        for (schema, name, count) in counts {
            assert_eq!(test.numbers(&format!("SELECT COUNT(*) FROM {}", test.table(schema, name))).await, [count], "{name}");
        }
    }

    async fn a_seed_repairs_what_is_missing_and_keeps_what_was_changed(test: TestStore) {
        use sea_orm::ConnectionTrait;
        test.seed().await;
        let db = test.operator.raw();
        let (links, orgs, customers) =
            (test.table("core", "user_roles"), test.table("core", "organizations"), test.table("finance", "customers"));
        db.execute_unprepared(&format!("DELETE FROM {links}")).await.unwrap();
        db.execute_unprepared(&format!("UPDATE {orgs} SET tax_code = '999', name = 'Renamed'")).await.unwrap();
        db.execute_unprepared(&format!("UPDATE {customers} SET tax_code = 'NEW' WHERE code = 'CUS001'")).await.unwrap();
        let report = test.seed().await.render("123456");
        assert!(report.contains("Organization already exists: Renamed"), "{report}");
        assert!(report.contains("Added missing role: owner"), "{report}");
        assert_eq!(test.numbers(&format!("SELECT COUNT(*) FROM {customers}")).await, [2]);
        let roles: Vec<Role> = admin(&test.store).await.roles.iter().collect();
        assert_eq!(roles, [Role::Owner, Role::Admin]);
    }

    async fn parallel_seeds_do_no_harm(test: TestStore) {
        let (a, b, c) = tokio::join!(
            seed::run(&test.operator, HASH, now()),
            seed::run(&test.operator, HASH, now()),
            seed::run(&test.operator, HASH, now()),
        );
        let new = [a, b, c].into_iter().filter(|report| report.as_ref().unwrap().anything_new()).count();
        assert_eq!(new, 1);
        assert_eq!(test.numbers(&format!("SELECT COUNT(*) FROM {}", test.table("core", "users"))).await, [1]);
    }

    async fn a_session_is_found_for_its_user_only_and_ends_once(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        let session = open(&test.store, session(user.id, user.org)).await;

        let row = test.store.principal(user.id, Some(session.id)).await.unwrap().unwrap();
        let state = row.session.unwrap();
        assert_eq!((state.expires_at, state.revoked_at), (session.expires_at, None));
        let other = SessionId::new(Uuid::from_u128(78));
        assert_eq!(test.store.principal(user.id, Some(other)).await.unwrap().unwrap().session, None);

        let tx = test.store.begin(scope(user.org.get() + 1)).await.unwrap();
        let another = UserId::new(user.id.get() + 1);
        assert!(!tx.sessions().end((session.id, another), EndReason::LoggedOut, now()).await.unwrap(), "another's session");
        assert_eq!(tx.sessions().end_all_here(user.id, EndReason::Ended, now()).await.unwrap(), 0, "another tenant's session");
        drop(tx);
        let tx = test.store.begin(scope(user.org.get())).await.unwrap();
        assert!(tx.sessions().end((session.id, user.id), EndReason::LoggedOut, now()).await.unwrap());
        assert!(!tx.sessions().end((session.id, user.id), EndReason::LoggedOut, now()).await.unwrap());
        tx.commit().await.unwrap();
        let row = test.store.principal(user.id, Some(session.id)).await.unwrap().unwrap();
        assert_eq!(row.session.unwrap().revoked_at, Some(now()));
    }

    async fn a_rotation_goes_from_the_newest_token_of_a_live_session_and_from_no_other(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        let session = open(&test.store, session(user.id, user.org)).await;
        let later = |minutes| now() + chrono::Duration::minutes(minutes);
        let rotate = async |from: i64, at: i64| {
            let (to, expires_at) = (from + 1, later(at + 30));
            let rotation = Rotation { session: session.id, from, to, expires_at, at: later(at) };
            test.store.rotate_refresh(rotation).await.unwrap()
        };
        let found = async || test.store.session_for_refresh(session.id).await.unwrap().unwrap();
        assert_eq!((found().await.counter, &found().await.session), (0, &session));
        assert!(rotate(0, 1).await && rotate(1, 2).await);
        // A writer that read long ago must not turn the counter back.
        assert!(!rotate(0, 3).await && !rotate(1, 3).await && !rotate(3, 3).await);
        let row = found().await;
        assert_eq!((row.counter, row.session.expires_at, row.session.last_seen_at), (2, later(32), Some(later(2))));
        assert_eq!((row.user, row.org_status), (user.clone(), Status::Active));
        assert_eq!(row.roles.iter().collect::<Vec<_>>(), [Role::Owner, Role::Admin]);
        assert!(!rotate(2, 32).await, "it has expired");
        let ending = test.store.begin(scope(user.org.get())).await.unwrap();
        assert!(ending.sessions().end((session.id, user.id), EndReason::LoggedOut, later(3)).await.unwrap());
        ending.commit().await.unwrap();
        assert!(!rotate(2, 4).await, "it was ended");
        assert_eq!((found().await.counter, found().await.session.revoked_at), (2, Some(later(3))));
        assert!(test.store.session_for_refresh(SessionId::new(Uuid::from_u128(1))).await.unwrap().is_none());
    }

    async fn a_step_is_taken_only_by_the_newest_token_of_who_may_go_on(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        let session = open(&test.store, session(user.id, user.org)).await;
        let later = |minutes| now() + chrono::Duration::minutes(minutes);
        let step = async |from: i64, at: i64, longest: i64| {
            let (at, idle_end, longest) = (later(at), later(at + 30), chrono::Duration::minutes(longest));
            let step = Step { session: session.id, from, to: from + 1, idle_end, longest, at };
            test.store.step_refresh(step).await.unwrap()
        };
        let found = async || test.store.session_for_refresh(session.id).await.unwrap().unwrap();
        let taken = step(0, 1, 60).await;
        if test.store.engine() == Engine::Sqlite {
            assert_eq!((taken, found().await.counter), (None, 0), "there it takes two statements");
            return;
        }
        // It answers what a read would find after it.
        assert_eq!(taken, Some(found().await));
        assert_eq!((found().await.counter, found().await.session.expires_at), (1, later(31)));
        assert_eq!(step(0, 2, 60).await, None, "it was used up");
        assert_eq!(step(2, 2, 60).await, None, "it was never given out");
        assert_eq!(step(1, 2, 2).await, None, "the longest time is over");
        assert_eq!(step(1, 2, 3).await.unwrap().session.expires_at, later(3), "the longest time ends first");
        assert_eq!(step(2, 3, 60).await, None, "it has expired");
        assert_eq!(found().await.counter, 2);
        for table in ["users", "organizations"] {
            let table = test.table("core", table);
            test.operator.raw().execute_unprepared(&format!("UPDATE {table} SET status = 'inactive'")).await.unwrap();
            assert_eq!(step(2, 2, 60).await, None, "{table}");
            test.operator.raw().execute_unprepared(&format!("UPDATE {table} SET status = 'active'")).await.unwrap();
        }
        // Of those who come at once one takes it.
        let (first, second) = tokio::join!(step(2, 2, 60), step(2, 2, 60));
        assert_eq!(usize::from(first.is_some()) + usize::from(second.is_some()), 1);
        let (users, sessions) = (test.table("core", "users"), test.table("auth", "sessions"));
        let organizations = test.table("core", "organizations");
        for change in [
            format!("INSERT INTO {organizations} (name, tax_code) VALUES ('Elsewhere', 'E')"),
            format!("UPDATE {users} SET org_id = (SELECT id FROM {organizations} WHERE tax_code = 'E')"),
        ] {
            test.operator.raw().execute_unprepared(&change).await.unwrap();
        }
        assert_eq!(step(3, 2, 60).await, None, "the user belongs to another organization now");
        let back = format!("UPDATE {users} SET org_id = {}", user.org);
        test.operator.raw().execute_unprepared(&back).await.unwrap();
        let end = format!("UPDATE {sessions} SET revoked_at = now()");
        test.operator.raw().execute_unprepared(&end).await.unwrap();
        assert_eq!(step(3, 2, 60).await, None, "it was ended");
        assert_eq!(found().await.counter, 3);
    }

    async fn a_renewed_hash_replaces_only_the_one_that_was_compared(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        for (old, new, stored) in [("a hash from before", "renewed", HASH), (HASH, "renewed", "renewed")] {
            let renewed = Some(RenewedHash { old: old.into(), new: new.into() });
            let tx = test.store.begin(scope(user.org.get())).await.unwrap();
            tx.sessions().record_log_in(LogInRecord { user: user.id, at: now(), password: PasswordAsOf::Exactly(None), renewed }).await.unwrap();
            tx.commit().await.unwrap();
            let account = admin(&test.store).await;
            assert_eq!((account.password_hash.as_str(), account.user.last_login_at), (stored, Some(now())));
        }
    }

    async fn a_dropped_transaction_leaves_nothing(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        let tx = test.store.begin(scope(user.org.get())).await.unwrap();
        tx.sessions().open(&session(user.id, user.org)).await.unwrap();
        drop(tx);
        assert_eq!(test.numbers(&format!("SELECT COUNT(*) FROM {}", test.table("auth", "sessions"))).await, [0]);
    }

    async fn a_refused_row_says_which_kind_of_constraint_refused_it(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        let tx = test.store.begin(scope(user.org.get())).await.unwrap();
        tx.sessions().open(&session(user.id, user.org)).await.unwrap();
        tx.commit().await.unwrap();
        let tx = test.store.begin(scope(user.org.get())).await.unwrap();
        let again = tx.sessions().open(&session(user.id, user.org)).await.unwrap_err();
        assert!(matches!(again, StoreError::Refused(sme_pulse_persistence::Violation::Unique(_), _)), "{again:?}");
        drop(tx);
        let tx = test.store.begin(scope(user.org.get())).await.unwrap();
        let mut orphan = session(UserId::new(9_999), user.org);
        orphan.id = SessionId::new(Uuid::from_u128(99));
        let refused = tx.sessions().open(&orphan).await.unwrap_err();
        assert!(matches!(refused, StoreError::Refused(sme_pulse_persistence::Violation::Reference, _)), "{refused:?}");
    }
}
