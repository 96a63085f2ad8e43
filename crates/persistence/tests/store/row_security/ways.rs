//! What each way past the wall finds: what its key names, of one person and one organization, among rows of others.

use sea_orm::ConnectionTrait;

use super::{number, texts, with_rows};
use crate::support::TestStore;

/// Person 1 is at home in 1, a cashier in 2 and was in 3; person 2 is at home in 2, an active member of 3 and was in 1;
/// person 3 is at home in 2 and belongs to 1. Everything lives for long.
const PLACES: &str = "
INSERT INTO core.organizations (name, tax_code) VALUES ('Three', 'T3');
INSERT INTO core.roles (code, name) VALUES ('cashier', 'C'), ('admin', 'A'), ('accountant', 'B');
INSERT INTO core.user_roles (user_id, org_id, role_id) VALUES (1, 2, 2), (1, 3, 3), (3, 2, 3), (3, 1, 4);
INSERT INTO auth.memberships (org_id, user_id, status) VALUES (3, 1, 'inactive'), (3, 2, 'active'), (1, 2, 'inactive');
INSERT INTO auth.sessions (id, user_id, org_id, expires_at)
  VALUES ('00000000-0000-0000-0000-000000000004', 1, 3, now());
INSERT INTO auth.sign_ups (email, full_name, password_hash, organization_name, token_hash, expires_at)
  SELECT o || '@new.test', 'N', 'x', 'New', repeat(o::text, 64), '2100-01-01' FROM generate_series(1, 2) o;
UPDATE auth.sessions SET expires_at = '2100-01-01';
UPDATE auth.password_reset_tokens SET expires_at = '2100-01-01';
UPDATE auth.mfa_challenges SET expires_at = '2100-01-01';
UPDATE auth.invitations SET expires_at = '2100-01-01';
UPDATE auth.idempotency_keys SET expires_at = '2100-01-01' WHERE org_id = 2;
UPDATE auth.mfa_factors SET confirmed_at = now() WHERE user_id = 2;
UPDATE core.users SET password_changed_at = '2100-01-01' WHERE id = 2;
UPDATE auth.audit_heads SET seq = 2 WHERE chain_id = 2;
";
const NOBODY: &str = "00000000-0000-0000-0000-000000000099";
const AT: &str = "'2050-01-01'";

fn session(number: i64) -> String {
    format!("00000000-0000-0000-0000-00000000000{number}")
}

/// The rows of a call, as who serves makes it while no organization is known.
async fn called(test: &TestStore, columns: &str, call: &str) -> Vec<String> {
    let columns = columns.split(", ").map(|column| format!("coalesce({column}::text, '-')"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let mut found = texts(test.store.raw(), &format!("SELECT concat_ws(' ', {columns}) FROM auth.{call}")).await;
    found.sort();
    found
}

async fn all(test: &TestStore, sql: &str) -> Vec<String> {
    texts(test.operator.raw(), sql).await
}

fn with_places<T: Future<Output = ()>>(check: impl FnOnce(TestStore) -> T) {
    with_rows(async |test, _| {
        test.operator.raw().execute_unprepared(PLACES).await.unwrap();
        check(test).await;
    });
}

#[test]
fn people_are_found_with_what_they_hold_where_they_are_asked_about() {
    with_places(async |test| {
        let columns = "id, org_id, in_org_id, role_code, membership_status, factor_confirmed_at";
        assert_eq!(called(&test, columns, "find_account('a@one.test')").await, ["1 1 1 owner - -"]);
        let columns = "id, org_id, in_org_id, role_code, membership_status, session_org_id";
        for (person, named, expected) in [
            (1, session(1), "1 1 1 owner - 1"),
            (1, session(2), "1 1 2 cashier active 2"),
            (1, session(4), "1 1 3 admin inactive 3"),
            // Somebody else's session, and none: what they are at home.
            (1, session(3), "1 1 1 owner - -"),
            (1, NOBODY.to_owned(), "1 1 1 owner - -"),
            (3, NOBODY.to_owned(), "3 2 2 admin - -"),
        ] {
            let call = format!("find_principal({person}, '{named}')");
            assert_eq!(called(&test, columns, &call).await, [expected], "{call}");
        }
        let columns = "id, org_id, in_org_id, role_code, membership_status, session_org";
        for (named, expected) in [
            (1, "1 1 1 owner - 1"),
            (2, "1 1 2 cashier active 2"),
            (3, "2 2 2 owner - 2"),
            (4, "1 1 3 admin inactive 3"),
        ] {
            assert_eq!(called(&test, columns, &format!("find_refresh('{}')", session(named))).await, [expected]);
        }
        let columns = "id, name, away, role_code";
        assert_eq!(called(&test, columns, "places_of(1)").await, ["1 One 0 owner", "2 Two 1 cashier"]);
        assert_eq!(called(&test, columns, "places_of(2)").await, ["2 Two 0 owner", "3 Three 1 -"]);
        assert_eq!(called(&test, columns, "places_of(3)").await, ["1 One 1 accountant", "2 Two 0 admin"]);
    });
}

#[test]
fn a_refresh_steps_one_session_of_somebody_who_belongs_to_its_organization() {
    with_places(async |test| {
        let step =
            |number: i64| format!("step_refresh('{}', 0, 1, {AT}, '2050-01-02', 9000000000000000)", session(number));
        let columns = "session_org, id, org_id, roles";
        let counters = "SELECT string_agg(refresh_counter::text, ' ' ORDER BY id) FROM auth.sessions";
        for (number, expected, after) in
            [(1, "1 1 1 owner", "1 0 0 0"), (2, "2 1 1 cashier", "1 1 0 0"), (3, "2 2 2 owner", "1 1 1 0")]
        {
            assert_eq!(called(&test, columns, &step(number)).await, [expected]);
            assert_eq!(all(&test, counters).await, [after]);
        }
        assert_eq!(called(&test, columns, &step(4)).await, [""; 0], "the membership is over");
        let rotate =
            |number: i64| format!("SELECT auth.rotate_refresh('{}', 1, 2, '2100-01-01', {AT})", session(number));
        assert_eq!(number(test.store.raw(), rotate(2)).await, 1);
        assert_eq!(all(&test, counters).await, ["1 2 1 0"]);
        let back = "UPDATE auth.sessions SET refresh_counter = 0; UPDATE core.organizations SET status = 'inactive' WHERE id = 2";
        test.operator.raw().execute_unprepared(back).await.unwrap();
        for number in [2, 3] {
            assert_eq!(called(&test, columns, &step(number)).await, [""; 0], "the organization is suspended");
        }
        let seen = format!("SELECT auth.note_seen('{}', '2060-01-01', '2060-01-01')", session(2));
        assert_eq!(number(test.store.raw(), seen).await, 1);
        let whose = all(&test, "SELECT id::text FROM auth.sessions WHERE last_seen_at = '2060-01-01'").await;
        assert_eq!(whose, [session(2)]);
    });
}

#[test]
fn a_token_finds_what_it_was_made_for() {
    with_places(async |test| {
        let token = |number: i64| format!("repeat('{number}', 64)");
        for (number, email) in [(1, "a@one.test"), (2, "a@two.test")] {
            let call = format!("email_of_reset_token({}, {AT})", token(number));
            assert_eq!(called(&test, "email", &call).await, [email]);
        }
        // Only the other person's password was changed since.
        let call = format!("count_challenge_attempt({}, 5, {AT})", token(1));
        assert_eq!(called(&test, "user_id, attempts", &call).await, ["1 1"]);
        let call = format!("count_challenge_attempt({}, 5, {AT})", token(2));
        assert_eq!(called(&test, "user_id", &call).await, [""; 0]);
        let attempts = "SELECT attempts::text FROM auth.mfa_challenges ORDER BY user_id";
        assert_eq!(all(&test, attempts).await, ["1", "0"]);
        for (number, expected) in [(1, "1 One"), (2, "2 Two")] {
            let call = format!("find_invitation({}, {AT})", token(number));
            assert_eq!(called(&test, "org_id, organization", &call).await, [expected]);
        }
        let call = format!("take_sign_up({}, {AT})", token(2));
        assert_eq!(called(&test, "email", &call).await, ["2@new.test"]);
        assert_eq!(all(&test, "SELECT email::text FROM auth.sign_ups").await, ["1@new.test"]);
        for (code, count) in [("T3", 1), ("T4", 0)] {
            assert_eq!(number(test.store.raw(), format!("SELECT auth.count_tax_code('{code}')")).await, count);
        }
    });
}

#[test]
fn what_has_expired_goes_without_what_has_the_same_name_elsewhere() {
    with_places(async |test| {
        let call = format!("SELECT auth.remove_expired('idempotency_keys', {AT}, 10)");
        assert_eq!(number(test.store.raw(), call).await, 1);
        assert_eq!(all(&test, "SELECT org_id::text FROM auth.idempotency_keys").await, ["2"]);
    });
}

#[test]
fn a_chain_is_read_alone() {
    with_places(async |test| {
        assert_eq!(called(&test, "chain_id", "audit_heads_to_sign()").await, ["0", "2"]);
        for chain in [1, 2] {
            let own = [chain.to_string()];
            assert_eq!(called(&test, "chain_id", &format!("audit_head_of({chain})")).await, own);
            assert_eq!(called(&test, "org_id", &format!("audit_events_of({chain}, 0, 0, 10)")).await, own);
            assert_eq!(called(&test, "chain_id", &format!("audit_checkpoints_of({chain}, 0, 9)")).await, own);
            assert_eq!(called(&test, "chain_id", &format!("last_audit_checkpoint({chain}, 'k', 9)")).await, own);
        }
        assert_eq!(called(&test, "org_id", "audit_events_of(0, 0, 0, 10)").await, ["-"]);
    });
}
