//! The revocations that a token still alive may have to know of, in memory and in order of their numbers. No I/O.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use sme_pulse_domain::ids::OrgId;
use sme_pulse_persistence::{RevocationRow, RevokedRow};

use crate::{
    revocation::{Revocation, Revoked},
    token::KeyId,
};

/// Entries kept at the most, some 5 MB: a message with all of them is still one that followers read
/// ([`MAX_MESSAGE_BYTES`](crate::revocation::MAX_MESSAGE_BYTES)).
pub(super) const AT_MOST: usize = 50_000;

/// The newest number, and the entries that are young enough.
#[derive(Debug, Default)]
pub(super) struct List {
    entries: VecDeque<Kept>,
    newest: u64,
    /// Up to here entries may be missing, since no token is old enough to be concerned.
    floor: u64,
}

#[derive(Debug)]
struct Kept {
    revocation: Revocation,
    /// Whose readers may see it; `None` for everybody's.
    org: Option<OrgId>,
    /// When this process read it, which was after it was noted: clocks of machines are not compared.
    seen: Duration,
}

impl List {
    /// A list that begins at this number: what was before it is too old.
    pub(super) fn beginning_at(number: u64) -> Self {
        Self { entries: VecDeque::new(), newest: number, floor: number }
    }

    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    /// The newest number that readers of this organization are shown; for those of all the newest there is.
    pub(super) fn newest_of(&self, only: Option<OrgId>) -> u64 {
        let shown = |kept: &&Kept| kept.org.is_none() || kept.org == only;
        match only {
            None => self.newest,
            Some(_) => self.entries.iter().rev().find(shown).map_or(0, |kept| kept.revocation.seq),
        }
    }

    /// Adds what came after the newest, in order. What is there already is left out.
    pub(super) fn add(&mut self, rows: Vec<RevocationRow>, seen: Duration) {
        for RevocationRow { seq, org, what } in rows {
            if seq <= self.newest {
                continue;
            }
            self.newest = seq;
            if let Some(what) = revoked(what, org) {
                self.entries.push_back(Kept { revocation: Revocation { seq, what }, org, seen });
            } else {
                tracing::error!(seq, "A revocation names nothing that can be");
            }
        }
        if self.entries.len() > AT_MOST {
            self.merge(AT_MOST / 2);
        }
    }

    /// Raises the newest number to one of which it is known that nothing young enough lies before it.
    pub(super) fn reach(&mut self, number: u64) {
        self.newest = self.newest.max(number);
    }

    /// Forgets what was seen longer ago than this.
    pub(super) fn forget(&mut self, now: Duration, keep: Duration) {
        while let Some(first) = self.entries.front().filter(|first| now.saturating_sub(first.seen) > keep) {
            self.floor = self.floor.max(first.revocation.seq);
            self.entries.pop_front();
        }
    }

    /// Whether who knows everything up to this number can be told the rest piece by piece.
    pub(super) const fn goes_on_after(&self, known: u64) -> bool {
        self.floor <= known && known <= self.newest
    }

    /// What came after a number, as far as it concerns the organization.
    pub(super) fn after(&self, known: u64, only: Option<OrgId>) -> Vec<Revocation> {
        self.concerning(known, only).map(|kept| kept.revocation.clone()).collect()
    }

    /// Whether there is any of that.
    pub(super) fn has_any_after(&self, known: u64, only: Option<OrgId>) -> bool {
        self.concerning(known, only).next().is_some()
    }

    /// Whether there is more than followers can be told.
    pub(super) fn is_too_long(&self) -> bool {
        self.entries.len() > AT_MOST
    }

    fn concerning(&self, known: u64, only: Option<OrgId>) -> impl Iterator<Item = &Kept> {
        let start = self.entries.partition_point(|kept| kept.revocation.seq <= known);
        let visible = move |kept: &&Kept| only.is_none() || kept.org.is_none() || kept.org == only;
        self.entries.range(start..).filter(visible)
    }

    /// Says less exactly what it said, until that is short enough: the organizations with most entries each get one in place
    /// of theirs, at the last of their numbers. It refuses every token that theirs did, and others of the organization once, which a
    /// refresh replaces. Memory is bounded by that, and nothing that was taken back is forgotten.
    fn merge(&mut self, enough: usize) {
        let mut counts = HashMap::<OrgId, usize>::new();
        for org in self.entries.iter().filter_map(|kept| kept.org) {
            *counts.entry(org).or_default() += 1;
        }
        let mut longest: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
        longest.sort_unstable_by_key(|(org, count)| (std::cmp::Reverse(*count), *org));
        let mut left = self.entries.len();
        let merged = longest.into_iter().take_while(|(_, count)| {
            let goes_on = left > enough;
            left = left.saturating_sub(count.saturating_sub(1));
            goes_on
        });
        let mut last: HashMap<OrgId, u64> = merged.map(|(org, _)| (org, 0)).collect();
        for kept in &self.entries {
            if let Some(last) = kept.org.and_then(|org| last.get_mut(&org)) {
                *last = kept.revocation.seq;
            }
        }
        tracing::warn!(organizations = last.len(), "Many revocations at once were merged into those of organizations");
        self.entries.retain_mut(|kept| {
            let Some((org, last)) = kept.org.and_then(|org| Some((org, *last.get(&org)?))) else { return true };
            kept.revocation.what = Revoked::Organization(org);
            kept.revocation.seq == last
        });
    }
}

fn revoked(what: RevokedRow, org: Option<OrgId>) -> Option<Revoked> {
    match what {
        RevokedRow::Session(id) => Some(Revoked::Session(id)),
        RevokedRow::User(user) => Some(Revoked::User(user)),
        RevokedRow::Member(user) => org.map(|org| Revoked::Member(user, org)),
        RevokedRow::Organization => org.map(Revoked::Organization),
        RevokedRow::Key(kid) => KeyId::parse(&kid).map(Revoked::Key),
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
