//! Every repository, asked within one organization for what is another's by its key: nothing is found and nothing changes.
//! On the way through a route such a key is always the caller's own, so only this shows that the scope alone holds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "the support is shared with another test binary")]

#[path = "isolation/books.rs"]
mod books;
#[path = "isolation/people.rs"]
mod people;
#[path = "isolation/programs.rs"]
mod programs;
mod support;
#[path = "isolation/trail.rs"]
mod trail;

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait as _, Statement};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    ids::{OrgId, UserId},
    tenant::TenantScope,
};
use sme_pulse_persistence::{LogInRecord, NewHash, NewResetToken, PasswordAsOf, RenewedHash, UsedStep};
use sme_pulse_testing::on_both_databases;
use support::{TestStore, now};

const HASH: &str = "hash-of-theirs";
const CODE: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const fn scope(org: i64) -> TenantScope {
    TenantScope::assume_verified(OrgId::new(org), None)
}

const OURS: TenantScope = scope(1);
const THEIRS: TenantScope = scope(2);
const USER: UserId = UserId::new(2);

/// Organizations 1 and 2 with a user each; the user of 2 has a second factor, a recovery code, a half log-in, a reset
/// token and an event.
async fn two(test: &TestStore) -> i64 {
    let (orgs, users) = (test.table("core", "organizations"), test.table("core", "users"));
    for org in [1, 2] {
        let sql = format!(
            "INSERT INTO {orgs} (name) VALUES ('Org {org}'); \
             INSERT INTO {users} (org_id, email, password_hash) VALUES ({org}, 'u{org}@example.com', '{HASH}')"
        );
        test.operator.raw().execute_unprepared(&sql).await.unwrap();
    }
    let tx = test.store.begin(THEIRS).await.unwrap();
    tx.factors().enrol(USER, "sealed", now()).await.unwrap();
    tx.factors().replace_recovery_codes(USER, &[CODE.to_owned()], now()).await.unwrap();
    tx.challenges().open(USER, CODE, (now(), later())).await.unwrap();
    tx.passwords().replace_reset_token(&reset()).await.unwrap();
    let mut event =
        AuditEvent::new(Action::LogIn, Some(THEIRS.org()), Origin { request_id: None, client_ip: Some("::1".into()) });
    event.actor = Some(USER);
    tx.record(event, now()).await.unwrap();
    tx.commit().await.unwrap();
    test.numbers(&format!("SELECT id FROM {}", test.table("auth", "mfa_challenges"))).await.remove(0)
}

fn later() -> chrono::DateTime<chrono::Utc> {
    now() + TimeDelta::hours(1)
}

fn reset() -> NewResetToken {
    NewResetToken { user: USER, hash: CODE.to_owned(), created_at: now(), expires_at: later() }
}

/// Everything there is, as one text.
async fn everything(test: &TestStore) -> Vec<String> {
    let mut rows = Vec::new();
    for (schema, table, columns) in [
        ("core", "users", "id, org_id, password_hash, last_login_at, updated_at"),
        ("auth", "mfa_factors", "user_id, org_id, secret, confirmed_at, last_step"),
        ("auth", "mfa_recovery_codes", "user_id, org_id, code_hash, used_at"),
        ("auth", "mfa_challenges", "user_id, org_id, token_hash, used_at"),
        ("auth", "password_reset_tokens", "user_id, token_hash, used_at"),
        ("auth", "audit_log", "org_id, actor_user_id, client_ip, salts"),
    ] {
        let columns = columns.split(", ").map(|column| format!("COALESCE(CAST({column} AS text), '-')"));
        let whole = columns.collect::<Vec<_>>().join(" || ',' || ");
        let sql = format!("SELECT '{table} ' || {whole} FROM {} ORDER BY 1", test.table(schema, table));
        let db = test.operator.raw();
        let found = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        assert!(!found.is_empty(), "{table}");
        rows.extend(found.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()));
    }
    rows
}

fn step() -> UsedStep {
    UsedStep { step: 7, resealed: None, at: now() }
}

on_both_databases! {
    async fn a_repository_finds_nothing_and_changes_nothing_by_the_keys_of_another_organization(test: TestStore) {
        let challenge = two(&test).await;
        let before = everything(&test).await;

        let tx = test.store.begin(OURS).await.unwrap();
        let (factors, passwords, sessions) = (tx.factors(), tx.passwords(), tx.sessions());
        assert!(factors.find(USER).await.unwrap().is_none());
        assert!(factors.find_for_update(USER).await.unwrap().is_none());
        assert!(!factors.confirm(USER, "sealed", step()).await.unwrap());
        assert!(!factors.use_step(USER, step()).await.unwrap());
        assert!(!factors.remove(USER).await.unwrap());
        assert_eq!(factors.recovery_codes_left(USER).await.unwrap(), 0);
        assert!(!factors.use_recovery_code(USER, CODE, now()).await.unwrap());
        factors.replace_recovery_codes(USER, &[], now()).await.unwrap();
        assert!(!tx.challenges().use_up(challenge, now()).await.unwrap());
        tx.challenges().remove_of(USER).await.unwrap();
        assert!(!passwords.lock_active(USER).await.unwrap());
        assert!(passwords.find(USER).await.unwrap().is_none());
        assert!(!passwords.set(&NewHash { user: USER, hash: "ours".into(), at: now() }, None).await.unwrap());
        assert!(!passwords.use_reset_token(USER, CODE, now()).await.unwrap());
        passwords.void_reset_tokens(USER).await.unwrap();
        let record = LogInRecord { user: USER, at: now(), password: PasswordAsOf::Exactly(None), renewed: None };
        assert!(!sessions.record_log_in(record).await.unwrap());
        assert!(!sessions.lock_password(USER, PasswordAsOf::Exactly(None)).await.unwrap());
        sessions.renew_hash(USER, RenewedHash { old: HASH.into(), new: "ours".into() }).await.unwrap();
        assert_eq!(tx.audit().erase(USER, 0).await.unwrap().events, 0);
        assert_eq!(tx.audit().not_erasable(USER).await.unwrap(), 0);
        tx.commit().await.unwrap();

        assert_eq!(everything(&test).await, before);
    }

    async fn a_confirmed_second_factor_is_neither_used_nor_removed_from_another_organization(test: TestStore) {
        two(&test).await;
        let tx = test.store.begin(THEIRS).await.unwrap();
        assert!(tx.factors().confirm(USER, "sealed", step()).await.unwrap());
        tx.commit().await.unwrap();
        let before = everything(&test).await;
        let next = || UsedStep { step: 8, resealed: Some("ours".into()), at: now() };

        let tx = test.store.begin(OURS).await.unwrap();
        assert!(!tx.factors().use_step(USER, next()).await.unwrap());
        assert!(!tx.factors().remove(USER).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(everything(&test).await, before);

        let tx = test.store.begin(THEIRS).await.unwrap();
        assert!(tx.factors().use_step(USER, next()).await.unwrap());
        assert!(tx.factors().remove(USER).await.unwrap());
    }

    async fn what_expires_takes_nothing_of_the_same_name_elsewhere_with_it(test: TestStore) {
        two(&test).await;
        let table = test.table("auth", "idempotency_keys");
        for (org, expires) in [(1, "2000-01-01 00:00:00.000000"), (2, "2999-01-01 00:00:00.000000")] {
            let sql = format!(
                "INSERT INTO {table} (org_id, user_id, key, method, path, request_hash, expires_at) \
                 VALUES ({org}, {org}, 'k', 'POST', '/', '{CODE}', '{expires}')"
            );
            test.operator.raw().execute_unprepared(&sql).await.unwrap();
        }
        assert_eq!(test.store.remove_expired(now()).await.unwrap(), 1);
        assert_eq!(test.numbers(&format!("SELECT org_id FROM {table}")).await, [2]);
    }

    async fn nobodys_password_changes_in_a_suspended_organization(test: TestStore) {
        two(&test).await;
        let suspend = format!("UPDATE {} SET status = 'inactive' WHERE id = 2", test.table("core", "organizations"));
        test.operator.raw().execute_unprepared(&suspend).await.unwrap();
        let tx = test.store.begin(THEIRS).await.unwrap();
        assert!(!tx.passwords().lock_active(USER).await.unwrap());
        drop(tx);
        let tx = test.store.begin(OURS).await.unwrap();
        assert!(tx.passwords().lock_active(UserId::new(1)).await.unwrap());
    }

    /// Or the test above would hold whatever the scope.
    async fn within_the_right_organization_the_same_keys_are_found(test: TestStore) {
        let challenge = two(&test).await;
        let before = everything(&test).await;
        let tx = test.store.begin(THEIRS).await.unwrap();
        let (factors, passwords, sessions) = (tx.factors(), tx.passwords(), tx.sessions());
        assert!(factors.find(USER).await.unwrap().is_some());
        assert!(factors.find_for_update(USER).await.unwrap().is_some());
        assert!(factors.confirm(USER, "sealed", step()).await.unwrap());
        assert_eq!(factors.recovery_codes_left(USER).await.unwrap(), 1);
        assert!(factors.use_recovery_code(USER, CODE, now()).await.unwrap());
        assert!(tx.challenges().use_up(challenge, now()).await.unwrap());
        assert!(passwords.lock_active(USER).await.unwrap());
        assert!(passwords.find(USER).await.unwrap().is_some());
        assert!(passwords.use_reset_token(USER, CODE, now()).await.unwrap());
        assert!(sessions.lock_password(USER, PasswordAsOf::Exactly(None)).await.unwrap());
        assert_eq!(tx.audit().erase(USER, 0).await.unwrap().events, 1);
        tx.commit().await.unwrap();
        assert_ne!(everything(&test).await, before);
    }
}
