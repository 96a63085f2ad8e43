//! The callers seen lately, so that a warm request reads no database. What is kept here is believed only while the
//! change feed is current, and for a bounded time.
//!
//! A reader that was overtaken by a change must not put the old state back: each part counts the changes it was told
//! of, and a state read before the last of them is used once and not kept.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lru::LruCache;
use sme_pulse_domain::{
    ids::{SessionId, UserId},
    status::Status,
};
use sme_pulse_persistence::{Change, PrincipalRow, SessionState};

use crate::Member;

/// Users kept per part: with [`SESSIONS`] each, some 130,000 states of about 300 bytes at the most.
const USERS: usize = 1_024;
/// Sessions kept per user.
const SESSIONS: usize = 8;
/// Parts with a lock of their own.
const PARTS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// A caller's state at the moment it was read.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) member: Arc<Member>,
    pub(super) org_status: Status,
    pub(super) is_member: bool,
    pub(super) session: Option<SessionState>,
}

impl From<PrincipalRow> for Snapshot {
    fn from(row: PrincipalRow) -> Self {
        let PrincipalRow { user, org, org_status, is_member, roles, session } = row;
        Self { member: Arc::new(Member { user, org, roles }), org_status, is_member, session }
    }
}

struct Kept {
    session: Option<SessionId>,
    snapshot: Arc<Snapshot>,
    read_at: Duration,
}

struct Part {
    /// Changes told so far.
    changes: u64,
    users: LruCache<UserId, Vec<Kept>>,
}

/// How many changes a part had been told of when a read began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began(u64);

pub(super) struct KnownMembers {
    parts: Vec<Mutex<Part>>,
    time_to_live: Duration,
}

impl KnownMembers {
    pub(super) fn new(time_to_live: Duration) -> Self {
        let part = |_| Mutex::new(Part { changes: 0, users: LruCache::unbounded() });
        Self { parts: (0..PARTS.get()).map(part).collect(), time_to_live }
    }

    /// The state of a user and session if it is known and fresh, else the mark to hand to [`keep`](Self::keep).
    pub(super) fn find(&self, user: UserId, session: Option<SessionId>, now: Duration) -> Result<Arc<Snapshot>, Began> {
        let mut part = self.part(user);
        let fresh = |kept: &&Kept| kept.session == session && now.saturating_sub(kept.read_at) <= self.time_to_live;
        let known = part.users.get(&user).and_then(|kept| kept.iter().find(fresh));
        known.map(|kept| Arc::clone(&kept.snapshot)).ok_or(Began(part.changes))
    }

    /// The mark to hand to [`keep`](Self::keep), for who has found a state and does not believe it.
    pub(super) fn began(&self, user: UserId) -> Began {
        Began(self.part(user).changes)
    }

    /// Remembers a state, unless a change was told since its reading began.
    pub(super) fn keep(
        &self,
        began: Began,
        (user, session): (UserId, Option<SessionId>),
        snapshot: &Arc<Snapshot>,
        now: Duration,
    ) {
        let mut part = self.part(user);
        if part.changes != began.0 {
            return;
        }
        let kept = Kept { session, snapshot: Arc::clone(snapshot), read_at: now };
        let of_user = part.users.get_or_insert_mut(user, Vec::new);
        of_user.retain(|other| other.session != session);
        if of_user.len() >= SESSIONS {
            of_user.remove(0);
        }
        of_user.push(kept);
        if part.users.len() > USERS {
            part.users.pop_lru();
        }
    }

    /// Forgets whatever the change may concern.
    pub(super) fn forget(&self, change: Change) {
        match change {
            Change::User(user) => {
                let mut part = self.part(user);
                part.changes = part.changes.wrapping_add(1);
                part.users.pop(&user);
            }
            Change::Keys | Change::Revocations => {}
            // Rare enough that going through everything costs less than an index would.
            Change::Organization(_) | Change::Everything => {
                for part in &self.parts {
                    let mut part = lock(part);
                    part.changes = part.changes.wrapping_add(1);
                    part.users.clear();
                }
            }
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of parts")]
    fn part(&self, user: UserId) -> MutexGuard<'_, Part> {
        let number = usize::try_from(user.get().unsigned_abs()).unwrap_or_default();
        lock(&self.parts[number % PARTS])
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    // No code that can panic runs under the lock but the map's own.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use sme_pulse_domain::{email::Email, ids::OrgId, role::RoleSet, user::User};

    use super::*;

    const USER: UserId = UserId::new(7);
    const TTL: Duration = Duration::from_secs(1);

    fn snapshot() -> Arc<Snapshot> {
        let user = User {
            id: USER,
            org: OrgId::new(1),
            email: Email::stored("a@example.com".into()),
            full_name: None,
            status: Status::Active,
            last_login_at: None,
        };
        let member = Arc::new(Member { user, org: OrgId::new(1), roles: RoleSet::default() });
        Arc::new(Snapshot { member, org_status: Status::Active, is_member: true, session: None })
    }

    fn keep_one(known: &KnownMembers) {
        let began = known.find(USER, None, Duration::ZERO).unwrap_err();
        known.keep(began, (USER, None), &snapshot(), Duration::ZERO);
    }

    #[test]
    fn a_state_is_known_until_its_time_is_up() {
        let known = KnownMembers::new(TTL);
        keep_one(&known);
        assert!(known.find(USER, None, TTL).is_ok());
        assert!(known.find(USER, None, TTL + Duration::from_nanos(1)).is_err());
        assert!(known.find(UserId::new(8), None, Duration::ZERO).is_err());
    }

    #[test]
    fn every_kind_of_change_makes_it_forget() {
        for change in [Change::User(USER), Change::Organization(OrgId::new(9)), Change::Everything] {
            let known = KnownMembers::new(TTL);
            keep_one(&known);
            known.forget(change);
            assert!(known.find(USER, None, Duration::ZERO).is_err(), "{change:?}");
        }
        let known = KnownMembers::new(TTL);
        keep_one(&known);
        known.forget(Change::User(UserId::new(8)));
        assert!(known.find(USER, None, Duration::ZERO).is_ok());
    }

    #[test]
    fn a_reader_overtaken_by_a_change_does_not_put_the_old_state_back() {
        let known = KnownMembers::new(TTL);
        let began = known.find(USER, None, Duration::ZERO).unwrap_err();
        known.forget(Change::User(USER));
        known.keep(began, (USER, None), &snapshot(), Duration::ZERO);
        assert!(known.find(USER, None, Duration::ZERO).is_err());
    }

    #[test]
    fn sessions_and_users_are_bounded() {
        let known = KnownMembers::new(TTL);
        for number in 0..100_u128 {
            let session = Some(SessionId::new(uuid::Uuid::from_u128(number)));
            let began = known.find(USER, session, Duration::ZERO).unwrap_err();
            known.keep(began, (USER, session), &snapshot(), Duration::ZERO);
        }
        assert_eq!(known.part(USER).users.get(&USER).unwrap().len(), SESSIONS);
        for number in 0..i64::try_from(USERS * PARTS.get() * 2).unwrap() {
            let user = UserId::new(number);
            if let Err(began) = known.find(user, None, Duration::ZERO) {
                known.keep(began, (user, None), &snapshot(), Duration::ZERO);
            }
        }
        let kept: usize = known.parts.iter().map(|part| lock(part).users.len()).sum();
        assert_eq!(kept, USERS * PARTS.get());
    }
}
