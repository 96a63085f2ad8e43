//! The reader of the stream: what it knows, and what each genuine message adds. Pure, so that every order of messages can be tried.

use sme_pulse_domain::ids::OrgId;

use super::{Revocation, Revocations, Revoked, known::Known};
use crate::token::{AccessClaims, KeyId};

/// Most revocations that are remembered one by one. Beyond, all tokens made before the newest of them are refused: their holders
/// refresh, and memory stays bounded.
pub const MAX_REMEMBERED: usize = 262_144;

/// How often memory is tidied, in seconds.
const TIDY_SECONDS: i64 = 60;

/// How far ahead the clock of an issuer may be, in seconds, before what it says is no sign of life: or one that was wrong for a while
/// would make all that is right look old.
const MOST_AHEAD: i64 = 60;

/// What a genuine message meant to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// News or a sign of life: everything up to its number is known now.
    Current,
    /// Something before it has not been seen: ask for a snapshot. It is no sign of life.
    Gap,
    /// Older than what has been seen, or seen before. It is no sign of life.
    Old,
}

/// Knows what has been taken back up to one number of the stream.
///
/// Messages may be repeated, reordered and lost. Whatever a genuine one takes back counts at once and is never given back before its
/// time; but only a message that follows on what is known and is newer than everything before is a sign that the issuer still talks.
#[derive(Debug, Clone)]
pub struct Follower {
    leeway: u32,
    most: usize,
    seq: u64,
    /// When the newest message was signed; `None` before the first.
    at: Option<i64>,
    /// When numbers last went back, because the issuer's database was restored: what was signed before has other numbers.
    restored: i64,
    only: Option<OrgId>,
    /// For how many seconds revocations are told, by the newest message.
    keep: u32,
    known: Known,
    tidied: i64,
    /// The clock here went back, and what was dropped while it was ahead may be missing.
    doubtful: bool,
}

impl Follower {
    /// A reader that knows nothing. `leeway` is how far the clocks of issuers may differ, in seconds.
    pub fn new(leeway: u32) -> Self {
        Self {
            leeway,
            most: MAX_REMEMBERED,
            seq: 0,
            at: None,
            restored: i64::MIN,
            only: None,
            keep: u32::MAX,
            known: Known::default(),
            tidied: i64::MIN,
            doubtful: false,
        }
    }

    /// The same, with another bound than [`MAX_REMEMBERED`].
    #[must_use]
    pub const fn remembering(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Takes in a message that has been opened ([`Revocations::open`]). `now` is in seconds since 1970.
    pub fn take(&mut self, message: &Revocations, now: i64) -> Step {
        let until = message.at.saturating_add(message.keep.into()).saturating_add(self.leeway.into());
        if until > now && !message.entries.is_empty() {
            self.known.add(&message.entries, until);
        }
        self.doubtful |= now < self.tidied;
        if self.known.len() > self.most || now.saturating_sub(self.tidied) >= TIDY_SECONDS || now < self.tidied {
            self.known.tidy(now, self.most);
            self.tidied = now;
        }
        self.step(message, now)
    }

    fn step(&mut self, message: &Revocations, now: i64) -> Step {
        if message.at < self.restored || message.at > now.saturating_add(MOST_AHEAD) {
            return Step::Old;
        }
        // Who is told of others now has not been told what came before; only a snapshot says it.
        let others = self.at.is_some() && message.only != self.only;
        if message.after > self.seq || message.after != 0 && (others || self.doubtful) {
            return Step::Gap;
        }
        let newer = self.at.is_none_or(|at| message.at > at);
        if message.seq < self.seq {
            // Behind what is known: a replay, or the issuer's database was restored. In that case its numbers mean something else
            // now, and only a snapshot tells what.
            return match (newer, message.after) {
                (false, _) => Step::Old,
                (true, 0) => {
                    self.restored = message.at;
                    self.accept(message)
                }
                (true, _) => Step::Gap,
            };
        }
        let further = message.seq > self.seq;
        if newer || further && self.at == Some(message.at) {
            return self.accept(message);
        }
        // Ahead in numbers and signed earlier: by another replica, whose clock is behind.
        self.seq = message.seq;
        Step::Old
    }

    fn accept(&mut self, message: &Revocations) -> Step {
        self.seq = message.seq;
        self.at = Some(message.at);
        self.only = message.only;
        self.keep = message.keep;
        self.doubtful &= message.after != 0;
        Step::Current
    }

    /// The number up to which everything is known.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// When the newest message was signed, in seconds since 1970; `None` before the first.
    pub const fn signed_at(&self) -> Option<i64> {
        self.at
    }

    /// The only organization whose revocations are told; `None` for all.
    pub const fn only(&self) -> Option<OrgId> {
        self.only
    }

    /// Whether revocations that concern the token would still be told: it was not made longer ago than they are. (Where the life of
    /// tokens was shortened, or the token does not say when it was made, they may not be.)
    pub fn reaches(&self, claims: &AccessClaims, now: i64) -> bool {
        let reach = i64::from(self.keep).saturating_add(self.leeway.into());
        claims.issued_at.is_some_and(|made| made >= now.saturating_sub(reach))
    }

    /// How many revocations are remembered.
    pub fn remembered(&self) -> usize {
        self.known.len()
    }

    /// Whether a token with these claims has been taken back. Keys are the key ring's: see [`revoked_keys`].
    pub fn refuses(&self, claims: &AccessClaims) -> bool {
        self.known.refuse(claims)
    }
}

/// The keys that a message takes back, for good.
pub fn revoked_keys(message: &Revocations) -> impl Iterator<Item = &KeyId> {
    message
        .entries
        .iter()
        .filter_map(|Revocation { what, .. }| if let Revoked::Key(id) = what { Some(id) } else { None })
}
