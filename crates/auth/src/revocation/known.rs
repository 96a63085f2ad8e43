//! Tables of what has been taken back: one adds to them while many look without a lock. The newest entries lie in a small table of
//! their own, so that a piece of news does not copy all the others.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::Arc,
};

use sme_pulse_domain::ids::{OrgId, SessionId, UserId};

use super::{Revocation, Revoked};
use crate::token::AccessClaims;

/// So many entries are copied with each piece of news at the most.
const SMALL: usize = 1_024;

/// The number of a revocation, and the second since 1970 from which on no token can be older than it and still be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    seq: u64,
    until: i64,
}

impl Mark {
    const fn joined(self, other: Self) -> Self {
        Self {
            seq: if self.seq > other.seq { self.seq } else { other.seq },
            until: if self.until > other.until { self.until } else { other.until },
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Tables {
    sessions: HashMap<SessionId, Mark>,
    users: HashMap<UserId, Mark>,
    members: HashMap<(UserId, OrgId), Mark>,
    organizations: HashMap<OrgId, Mark>,
    /// Concerns everybody: what is left of entries that were too many.
    floor: Option<Mark>,
}

impl Tables {
    fn len(&self) -> usize {
        [self.sessions.len(), self.users.len(), self.members.len(), self.organizations.len()].iter().sum()
    }

    fn add(&mut self, what: &Revoked, mark: Mark) {
        match what {
            Revoked::Session(id) => join(&mut self.sessions, *id, mark),
            Revoked::User(user) => join(&mut self.users, *user, mark),
            Revoked::Member(user, org) => join(&mut self.members, (*user, *org), mark),
            Revoked::Organization(org) => join(&mut self.organizations, *org, mark),
            Revoked::Key(_) => {}
        }
    }

    fn absorb(&mut self, other: Self) {
        other.sessions.into_iter().for_each(|(id, mark)| join(&mut self.sessions, id, mark));
        other.users.into_iter().for_each(|(id, mark)| join(&mut self.users, id, mark));
        other.members.into_iter().for_each(|(id, mark)| join(&mut self.members, id, mark));
        other.organizations.into_iter().for_each(|(id, mark)| join(&mut self.organizations, id, mark));
        if let Some(mark) = other.floor {
            self.raise(mark);
        }
    }

    fn raise(&mut self, mark: Mark) {
        self.floor = Some(self.floor.map_or(mark, |floor| floor.joined(mark)));
    }

    /// Whether anything in it is no longer needed.
    fn is_dated(&self, now: i64) -> bool {
        let marks = self.sessions.values().chain(self.users.values()).chain(self.members.values());
        marks.chain(self.organizations.values()).chain(&self.floor).any(|mark| mark.until <= now)
    }

    fn forget(&mut self, now: i64) {
        self.sessions.retain(|_, mark| mark.until > now);
        self.users.retain(|_, mark| mark.until > now);
        self.members.retain(|_, mark| mark.until > now);
        self.organizations.retain(|_, mark| mark.until > now);
        self.floor = self.floor.filter(|mark| mark.until > now);
    }

    /// One number instead of all entries: whatever any of them refuses was made before the newest of them.
    fn collapse(&mut self) {
        let marks = self.sessions.values().chain(self.users.values()).chain(self.members.values());
        let newest = marks.chain(self.organizations.values()).copied().reduce(Mark::joined);
        *self = Self { floor: self.floor, ..Self::default() };
        if let Some(newest) = newest {
            self.raise(newest);
        }
    }

    fn refuse(&self, claims: &AccessClaims) -> bool {
        let later = |mark: &Mark| claims.position < mark.seq;
        claims.session.is_some_and(|session| self.sessions.contains_key(&session))
            || self.users.get(&claims.user).is_some_and(later)
            || self.members.get(&(claims.user, claims.org)).is_some_and(later)
            || self.organizations.get(&claims.org).is_some_and(later)
            || self.floor.as_ref().is_some_and(later)
    }
}

fn join<K: Eq + Hash>(table: &mut HashMap<K, Mark>, key: K, mark: Mark) {
    match table.entry(key) {
        Entry::Occupied(mut held) => {
            let joined = held.get().joined(mark);
            held.insert(joined);
        }
        Entry::Vacant(free) => {
            free.insert(mark);
        }
    }
}

/// Everything that has been taken back. A copy costs two counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    large: Arc<Tables>,
    small: Arc<Tables>,
}

impl Known {
    /// Whether the token is refused.
    pub(crate) fn refuse(&self, claims: &AccessClaims) -> bool {
        self.small.refuse(claims) || self.large.refuse(claims)
    }

    pub(super) fn add(&mut self, entries: &[Revocation], until: i64) {
        let small = Arc::make_mut(&mut self.small);
        for Revocation { seq, what } in entries {
            small.add(what, Mark { seq: *seq, until });
        }
        if small.len() > SMALL {
            let news = std::mem::take(small);
            Arc::make_mut(&mut self.large).absorb(news);
        }
    }

    /// Drops what no valid token can be older than, and turns more than `most` entries into one number, which refuses at least
    /// what they refused.
    pub(super) fn tidy(&mut self, now: i64, most: usize) {
        for tables in [&mut self.small, &mut self.large] {
            if tables.is_dated(now) {
                Arc::make_mut(tables).forget(now);
            }
        }
        if self.len() > most {
            let news = std::mem::take(Arc::make_mut(&mut self.small));
            let large = Arc::make_mut(&mut self.large);
            large.absorb(news);
            large.collapse();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.large.len().saturating_add(self.small.len())
    }
}
