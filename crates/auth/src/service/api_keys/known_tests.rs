//! What the memory of keys forgets, and that it is bounded.

use sme_pulse_domain::{
    email::Email,
    ids::{ApiKeyId, OrgId},
    role::RoleSet,
    user::User,
};

use super::*;

const USER: UserId = UserId::new(7);
const TTL: Duration = Duration::from_secs(1);

fn prefix(number: usize) -> KeyPrefix {
    KeyPrefix::parse(&format!("{number:012}")).unwrap()
}

fn of(creator: UserId) -> Arc<KeyState> {
    let user = User {
        id: creator,
        org: OrgId::new(1),
        email: Email::stored("a@example.com".into()),
        full_name: None,
        status: Status::Active,
        last_login_at: None,
    };
    let member = Arc::new(Member { user, org: OrgId::new(1), roles: RoleSet::default() });
    let grant = Arc::new(KeyGrant { id: ApiKeyId::new(1), permissions: PermissionSet::default() });
    let holder = Holder::Creator { member, org_status: Status::Active, is_member: true, grant };
    Arc::new(KeyState { key_hash: String::new(), expires_at: None, revoked_at: None, holder })
}

fn service() -> Arc<KeyState> {
    let holder = Holder::Service { id: 1, name: "s".to_owned(), permissions: PermissionSet::default() };
    Arc::new(KeyState { key_hash: String::new(), expires_at: None, revoked_at: None, holder })
}

fn keep(known: &KnownKeys, number: usize, state: &Arc<KeyState>) {
    let Err(began) = known.find(prefix(number), Duration::ZERO) else { return };
    known.keep(began, prefix(number), state, Duration::ZERO);
}

fn knows(known: &KnownKeys, number: usize, at: Duration) -> bool {
    known.find(prefix(number), at).is_ok()
}

#[test]
fn a_key_is_known_until_its_time_is_up() {
    let known = KnownKeys::new(TTL);
    keep(&known, 1, &of(USER));
    assert!(knows(&known, 1, TTL) && !knows(&known, 1, TTL + Duration::from_nanos(1)) && !knows(&known, 2, TTL));
}

#[test]
fn each_change_forgets_whom_it_concerns_and_no_others() {
    for (change, mine, others, services) in [
        (Change::User(USER), false, true, true),
        (Change::User(UserId::new(9)), true, true, true),
        (Change::Organization(OrgId::new(9)), false, false, false),
        (Change::Everything, false, false, false),
        (Change::Keys, true, true, true),
        (Change::Revocations, true, true, true),
    ] {
        let known = KnownKeys::new(TTL);
        for (number, state) in [(1, of(USER)), (2, of(USER)), (3, of(UserId::new(8))), (4, service())] {
            keep(&known, number, &state);
        }
        known.forget(change);
        let found = [1, 2, 3, 4].map(|number| knows(&known, number, Duration::ZERO));
        assert_eq!(found, [mine, mine, others, services], "{change:?}");
    }
}

#[test]
fn a_reader_overtaken_by_a_change_does_not_put_the_old_state_back() {
    for change in [Change::User(USER), Change::Everything] {
        let known = KnownKeys::new(TTL);
        let Err(began) = known.find(prefix(1), Duration::ZERO) else { panic!("nothing is known yet") };
        known.forget(change);
        known.keep(began, prefix(1), &of(USER), Duration::ZERO);
        assert!(!knows(&known, 1, Duration::ZERO), "{change:?}");
    }
}

#[test]
fn what_is_kept_is_bounded_with_all_that_points_to_it() {
    let known = KnownKeys::new(TTL);
    for number in 0..KEYS * PARTS.get() * 2 {
        keep(&known, number, &of(UserId::new(i64::try_from(number % 3).unwrap())));
    }
    for part in &known.parts {
        let part = lock(part);
        let pointed: usize = part.of_creator.values().map(Vec::len).sum();
        assert!(part.keys.len() <= KEYS, "{}", part.keys.len());
        assert_eq!(pointed, part.keys.len());
    }
}
