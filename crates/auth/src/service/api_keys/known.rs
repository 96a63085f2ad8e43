//! The keys seen lately, each with the person for whom it acts, so that a warm request reads no database. What holds for
//! remembered callers (`known_members.rs`) holds here: it is believed only while the change feed is current, for a bounded
//! time, and a reader that was overtaken by a change does not put the old state back.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use lru::LruCache;
use sme_pulse_domain::{
    api_key::{KeyPrefix, KeyStatus},
    ids::UserId,
    permission_set::PermissionSet,
    status::Status,
};
use sme_pulse_persistence::{Change, KnownApiKey, KnownServiceAccount, PrincipalRow};

use crate::{KeyGrant, Member};

/// Keys kept per part: some 4,000 of about 500 bytes at the most.
const KEYS: usize = 256;
/// Parts with a lock of their own.
const PARTS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// A key's state at the moment it was read. There is no `Debug`: it holds a hash.
pub(super) struct KeyState {
    pub(super) key_hash: String,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    pub(super) holder: Holder,
}

/// Whose it is.
pub(super) enum Holder {
    /// An organization's, acting for the person who made it.
    Creator { member: Arc<Member>, org_status: Status, is_member: bool, grant: Arc<KeyGrant> },
    /// The operator's.
    #[cfg_attr(
        not(any(feature = "actix", feature = "axum")),
        expect(dead_code, reason = "only guards let service accounts in")
    )]
    Service { id: i64, name: String, permissions: PermissionSet },
}

impl KeyState {
    pub(super) fn status(&self, now: DateTime<Utc>) -> KeyStatus {
        KeyStatus::of(self.revoked_at, self.expires_at, now)
    }

    fn creator(&self) -> Option<UserId> {
        match &self.holder {
            Holder::Creator { member, .. } => Some(member.user.id),
            Holder::Service { .. } => None,
        }
    }
}

impl From<KnownApiKey> for KeyState {
    fn from(row: KnownApiKey) -> Self {
        let KnownApiKey { id, key_hash, permissions, expires_at, revoked_at, creator } = row;
        let PrincipalRow { user, org, org_status, is_member, roles, .. } = creator;
        let member = Arc::new(Member { user, org, roles });
        let grant = Arc::new(KeyGrant { id, permissions });
        Self { key_hash, expires_at, revoked_at, holder: Holder::Creator { member, org_status, is_member, grant } }
    }
}

impl From<KnownServiceAccount> for KeyState {
    fn from(row: KnownServiceAccount) -> Self {
        let KnownServiceAccount { account, key_hash } = row;
        let name = account.name.as_str().to_owned();
        let holder = Holder::Service { id: account.id, name, permissions: account.permissions };
        Self { key_hash, expires_at: account.expires_at, revoked_at: account.revoked_at, holder }
    }
}

struct Kept {
    state: Arc<KeyState>,
    read_at: Duration,
}

struct Part {
    /// Changes told so far.
    changes: u64,
    keys: LruCache<KeyPrefix, Kept>,
    /// The kept keys of a person, who is whom changes are told of.
    of_creator: HashMap<UserId, Vec<KeyPrefix>>,
}

/// How many changes had been told when a read began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began(u64);

pub(in crate::service) struct KnownKeys {
    parts: Vec<Mutex<Part>>,
    time_to_live: Duration,
}

impl KnownKeys {
    pub(in crate::service) fn new(time_to_live: Duration) -> Self {
        let part = |_| Mutex::new(Part { changes: 0, keys: LruCache::unbounded(), of_creator: HashMap::new() });
        Self { parts: (0..PARTS.get()).map(part).collect(), time_to_live }
    }

    /// The state of a key if it is known and fresh, else the mark to hand to [`keep`](Self::keep).
    pub(super) fn find(&self, prefix: KeyPrefix, now: Duration) -> Result<Arc<KeyState>, Began> {
        let mut part = self.part(prefix);
        let fresh = |kept: &&Kept| now.saturating_sub(kept.read_at) <= self.time_to_live;
        let known = part.keys.get(&prefix).filter(fresh).map(|kept| Arc::clone(&kept.state));
        known.ok_or(Began(part.changes))
    }

    /// Remembers a state, unless a change was told since its reading began.
    pub(super) fn keep(&self, began: Began, prefix: KeyPrefix, state: &Arc<KeyState>, now: Duration) {
        let mut part = self.part(prefix);
        if part.changes != began.0 {
            return;
        }
        part.remove(prefix);
        part.keys.put(prefix, Kept { state: Arc::clone(state), read_at: now });
        if let Some(creator) = state.creator() {
            part.of_creator.entry(creator).or_default().push(prefix);
        }
        if part.keys.len() > KEYS
            && let Some((oldest, _)) = part.keys.peek_lru()
        {
            let oldest = *oldest;
            part.remove(oldest);
        }
    }

    /// Forgets whatever the change may concern. Whose an unknown key is nobody knows while it is being read, so any change
    /// of any person counts against what is under way.
    pub(in crate::service) fn forget(&self, change: Change) {
        for part in &self.parts {
            let mut part = lock(part);
            match change {
                Change::User(user) => {
                    for prefix in part.of_creator.remove(&user).unwrap_or_default() {
                        part.keys.pop(&prefix);
                    }
                }
                Change::Organization(_) | Change::Everything => {
                    part.keys.clear();
                    part.of_creator.clear();
                }
                Change::Keys | Change::Revocations => return,
            }
            part.changes = part.changes.wrapping_add(1);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of parts")]
    fn part(&self, prefix: KeyPrefix) -> MutexGuard<'_, Part> {
        let last = prefix.as_str().bytes().last().unwrap_or_default();
        lock(&self.parts[usize::from(last) % PARTS])
    }
}

impl Part {
    fn remove(&mut self, prefix: KeyPrefix) {
        let Some(creator) = self.keys.pop(&prefix).and_then(|kept| kept.state.creator()) else { return };
        if let Some(prefixes) = self.of_creator.get_mut(&creator) {
            prefixes.retain(|other| *other != prefix);
            if prefixes.is_empty() {
                self.of_creator.remove(&creator);
            }
        }
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    // No code that can panic runs under the lock but the maps' own.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "known_tests.rs"]
mod tests;
