//! What a verifier trusts at one moment: keys given and keys published, those taken back, and what the feed of revocations has told.
//! Read without locks, replaced as a whole.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use sme_pulse_domain::{clock::Clock, ids::OrgId};

use super::{AccessClaims, KeyId, KeyRing, TokenError, Undecided, VerifyError, VerifyingKey};
use crate::revocation::Follower;

/// The name under which the issuer takes back its shared secret, which has none in tokens.
const SHARED_SECRET: &str = "shared-secret";

/// Most revoked keys that are remembered by name. An issuer that revokes more is not believed at all any more.
const MAX_REVOKED: usize = 4_096;

/// An instant by both clocks: the steady one stands still while a machine sleeps, the other one can be set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    steady: Duration,
    /// Seconds since 1970.
    wall: i64,
}

impl Moment {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self { steady: clock.monotonic(), wall: clock.now().timestamp() }
    }

    /// How long ago it was at `now`, by the clock that says more.
    pub(crate) fn age(&self, now: &Self) -> Duration {
        let wall = Duration::from_secs(u64::try_from(now.wall.saturating_sub(self.wall)).unwrap_or(0));
        now.steady.saturating_sub(self.steady).max(wall)
    }
}

/// The keys that count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// All of them, which is what tokens are checked with.
    pub(super) ring: KeyRing,
    given: KeyRing,
    published: KeyRing,
    fetched: Option<Moment>,
    revoked: HashSet<KeyId>,
}

impl Keys {
    fn joined(mut self) -> Self {
        let too_many = self.revoked.len() > MAX_REVOKED;
        let counts = |key: &&VerifyingKey| {
            let name = key.id().map_or(SHARED_SECRET, KeyId::as_str);
            !too_many && !self.revoked.iter().any(|revoked| revoked.as_str() == name)
        };
        let published = self.published.iter().filter(|key| self.given.find(key.id().map(KeyId::as_str)).is_none());
        // No name can stand twice: what is published under a given key's name was left out.
        self.ring = KeyRing::new(self.given.iter().chain(published).filter(counts).cloned()).unwrap_or_default();
        self
    }
}

/// What happens when the feed is silent.
#[derive(Debug)]
pub(crate) struct FeedView {
    /// How long after the last sign of life tokens are still accepted; `None` for ever.
    pub(crate) patience: Option<Duration>,
    pub(crate) told: ArcSwapOption<Told>,
}

/// What the feed has told so far.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) follower: Follower,
    pub(crate) heard: Option<Heard>,
}

/// The last sign of life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) at: Moment,
    /// When it was signed, in seconds since 1970: what arrives late is as old as it is.
    pub(crate) signed_at: i64,
}

impl Heard {
    pub(crate) fn age(&self, now: &Moment, leeway: u32) -> Duration {
        let signed = now.wall.saturating_sub(self.signed_at).saturating_sub(leeway.into());
        self.at.age(now).max(Duration::from_secs(u64::try_from(signed).unwrap_or(0)))
    }
}

impl FeedView {
    fn knows_about(&self, told: Option<&Told>, org: OrgId, now: &Moment, leeway: u32) -> bool {
        let Some(patience) = self.patience else { return true };
        told.is_some_and(|told| {
            told.heard.is_some_and(|heard| heard.age(now, leeway) <= patience)
                && told.follower.only().is_none_or(|only| only == org)
        })
    }
}

/// Shared by all clones of a verifier and by what follows the issuer.
#[derive(Debug)]
pub(crate) struct Trust {
    pub(super) keys: ArcSwap<Keys>,
    /// How long published keys are used without having been fetched again.
    outage: Duration,
    /// Whether the last try to fetch keys worked; true where none are fetched.
    reachable: AtomicBool,
    pub(crate) feed: Option<FeedView>,
}

impl Trust {
    /// Trust in keys that are never fetched.
    pub(crate) fn given(keys: KeyRing) -> Self {
        Self::following(keys, Duration::MAX, true, None)
    }

    pub(crate) fn following(given: KeyRing, outage: Duration, reachable: bool, feed: Option<FeedView>) -> Self {
        let keys = Keys { given, ..Keys::default() }.joined();
        Self { keys: ArcSwap::from_pointee(keys), outage, reachable: AtomicBool::new(reachable), feed }
    }

    /// The keys that count.
    pub(crate) fn ring(&self) -> KeyRing {
        self.keys.load().ring.clone()
    }

    /// Puts other keys in the place of the given ones.
    pub(crate) fn give(&self, keys: KeyRing) {
        // Tried again when somebody else has changed them meanwhile.
        self.keys.rcu(move |held| Keys { given: keys.clone(), ..Keys::clone(held) }.joined());
    }

    /// What an unknown key means: that the token is no good, or that the issuer has to be asked first.
    pub(super) fn unknown_key(&self) -> VerifyError {
        if self.reachable.load(Ordering::Acquire) {
            TokenError::UnknownKey.into()
        } else {
            Undecided::KeysUnavailable.into()
        }
    }

    /// Whether what follows the issuer still knows enough to accept a genuine token, and nothing speaks against it.
    pub(super) fn judge(&self, claims: &AccessClaims, clock: &dyn Clock, leeway: u32) -> Result<(), VerifyError> {
        let keys = self.keys.load();
        let name = claims.key.as_ref().map(KeyId::as_str);
        if keys.fetched.is_none() && self.feed.is_none() {
            return Ok(());
        }
        let now = Moment::now(clock);
        let given = keys.given.find(name).is_some();
        if !given && keys.fetched.is_none_or(|fetched| fetched.age(&now) > self.outage) {
            return Err(Undecided::KeysTooOld.into());
        }
        let Some(feed) = &self.feed else { return Ok(()) };
        let told = feed.told.load();
        let told = told.as_deref();
        if told.is_some_and(|told| told.follower.refuses(claims)) {
            return Err(TokenError::Revoked.into());
        }
        // Not before something is known of the feed: who goes on without it asks nothing of it.
        if told.is_some_and(|told| told.heard.is_some() && !told.follower.reaches(claims, now.wall)) {
            return Err(TokenError::Expired.into());
        }
        if feed.knows_about(told, claims.org, &now, leeway) { Ok(()) } else { Err(Undecided::FeedLost.into()) }
    }
}

/// What only following an issuer changes.
#[cfg(feature = "remote")]
impl Trust {
    /// Puts the keys that the issuer has published at a moment in the place of those before.
    pub(crate) fn publish(&self, keys: &KeyRing, at: Moment) {
        self.keys.rcu(|held| Keys { published: keys.clone(), fetched: Some(at), ..Keys::clone(held) }.joined());
        self.reachable.store(true, Ordering::Release);
    }

    /// Notes that the issuer could not be asked.
    pub(crate) fn note_unreachable(&self) {
        self.reachable.store(false, Ordering::Release);
    }

    /// Takes keys out for good. Whether any of them is news.
    pub(crate) fn revoke<'a>(&self, ids: impl Iterator<Item = &'a KeyId>) -> bool {
        let held = self.keys.load();
        let ids: Vec<_> = ids.filter(|id| !held.revoked.contains(*id)).take(MAX_REVOKED + 1).cloned().collect();
        if held.revoked.len() > MAX_REVOKED || ids.is_empty() {
            return false;
        }
        self.keys.rcu(|held| {
            let mut keys = Keys::clone(held);
            keys.revoked.extend(ids.iter().cloned());
            keys.joined()
        });
        true
    }
}
