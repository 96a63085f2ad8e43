//! The life of a key that access tokens are signed with: published, then signing, then only verifying, then gone.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};

/// The name under which the installation's shared secret is kept beside the keys of the set.
pub const SHARED_SECRET: &str = "shared-secret";

/// How long verifiers may keep a published key set. A key is published for at least as long before it signs, so that no
/// verifier meets a token whose key it has not seen.
pub const CACHED_FOR: TimeDelta = TimeDelta::seconds(60);

/// How long a key verifies after it has signed for the last time: 24 hours, the longest life of an access token that can be
/// configured, and five minutes for clocks that differ and replicas that learn of the change late. It does not depend on the
/// configured life: who retires a key may have another configuration than who signed.
pub const VERIFIES_FOR: TimeDelta = TimeDelta::seconds(24 * 3600 + 300);

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and does not sign yet.
    Next,
    /// Signs.
    Current,
    /// Signs no longer, and verifies until its last token has expired.
    Retired,
    /// Counts for nothing.
    Revoked,
}

impl KeyState {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for KeyState {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Next, Self::Current, Self::Retired, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(())
    }
}

/// A key as it is kept. There is no `Debug`: the private half is in it, even if sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its name, the `kid` of its tokens; [`SHARED_SECRET`] for the secret, whose tokens have none.
    pub kid: String,
    /// The `alg` of its tokens.
    pub algorithm: String,
    /// The public half: `x`, or `x.y`, in base64url. `None` for the shared secret.
    pub public_key: Option<String>,
    /// The encrypted private half while it may be needed.
    pub sealed: Option<String>,
    /// Proves that whoever holds the installation's secret made this row.
    pub mac: Option<String>,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when verifiers can know it.
    pub published_at: DateTime<Utc>,
    /// Since when it signs, or signed.
    pub activated_at: Option<DateTime<Utc>>,
    /// Since when it does not sign any more.
    pub retired_at: Option<DateTime<Utc>>,
    /// Until when it verifies; `None` while there is no end to it.
    pub verify_until: Option<DateTime<Utc>>,
    /// Since when it counts for nothing.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl KeyRecord {
    /// The shared secret, which signs.
    pub fn shared_secret(algorithm: &str, now: DateTime<Utc>) -> Self {
        let next = Self::next(SHARED_SECRET.to_owned(), algorithm.to_owned(), now);
        Self { state: KeyState::Current, activated_at: Some(now), ..next }
    }

    /// A key that is published from now on; its halves are still to be filled in.
    pub const fn next(kid: String, algorithm: String, now: DateTime<Utc>) -> Self {
        Self {
            kid,
            algorithm,
            public_key: None,
            sealed: None,
            mac: None,
            state: KeyState::Next,
            published_at: now,
            activated_at: None,
            retired_at: None,
            verify_until: None,
            revoked_at: None,
        }
    }

    /// Whether this is the row of the shared secret.
    pub fn is_shared_secret(&self) -> bool {
        self.kid == SHARED_SECRET
    }

    /// Since when it is what it is.
    pub fn since(&self) -> DateTime<Utc> {
        let since = match self.state {
            KeyState::Next => None,
            KeyState::Current => self.activated_at,
            KeyState::Retired => self.retired_at,
            KeyState::Revoked => self.revoked_at,
        };
        since.unwrap_or(self.published_at)
    }

    /// Seconds until every verifier can know it; 0 when that is so.
    pub fn unripe_seconds(&self, now: DateTime<Utc>) -> i64 {
        let ripe_at = self.published_at.checked_add_signed(CACHED_FOR).unwrap_or(self.published_at);
        // A part of a second is waited for as a whole one.
        let left = ripe_at.signed_duration_since(now).num_milliseconds().max(0);
        left.saturating_add(999) / 1000
    }

    /// Whether tokens of it are accepted at `now`.
    pub fn verifies_at(&self, now: DateTime<Utc>) -> bool {
        self.state != KeyState::Revoked && self.verify_until.is_none_or(|until| now < until)
    }

    /// It signs from now on.
    pub const fn activate(&mut self, now: DateTime<Utc>) {
        self.state = KeyState::Current;
        self.activated_at = Some(now);
        self.retired_at = None;
        self.verify_until = None;
    }

    /// It signs no longer. One that has never signed has no token to wait for.
    pub fn retire(&mut self, now: DateTime<Utc>) {
        let signed = self.state == KeyState::Current;
        let end = if signed { now.checked_add_signed(VERIFIES_FOR).unwrap_or(now) } else { now };
        self.state = KeyState::Retired;
        self.retired_at = Some(now);
        self.verify_until = Some(end);
        self.sealed = None;
    }

    /// It counts for nothing from now on.
    pub fn revoke(&mut self, now: DateTime<Utc>) {
        self.state = KeyState::Revoked;
        self.revoked_at = Some(now);
        self.verify_until = Some(now);
        self.sealed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn key() -> KeyRecord {
        let next = KeyRecord::next("k".to_owned(), "EdDSA".to_owned(), at(0));
        KeyRecord { sealed: Some("s".to_owned()), ..next }
    }

    #[test]
    fn a_key_is_ripe_once_no_verifier_can_hold_a_set_without_it() {
        assert_eq!(
            (key().unripe_seconds(at(0)), key().unripe_seconds(at(59)), key().unripe_seconds(at(60))),
            (60, 1, 0)
        );
        assert_eq!(key().unripe_seconds(at(59) + TimeDelta::milliseconds(1)), 1);
    }

    #[test]
    fn a_retired_key_verifies_until_its_last_token_has_expired_and_keeps_no_private_half() {
        let mut key = key();
        key.activate(at(100));
        assert!(key.verifies_at(at(1_000_000_000)) && key.since() == at(100));
        key.retire(at(1000));
        let end = at(1000) + VERIFIES_FOR;
        assert!(key.verifies_at(end - TimeDelta::seconds(1)) && !key.verifies_at(end));
        assert!(key.sealed.is_none());
    }

    #[test]
    fn a_key_that_never_signed_and_a_revoked_one_verify_nothing_afterwards() {
        let (mut withdrawn, mut revoked) = (key(), key());
        withdrawn.retire(at(5));
        revoked.activate(at(1));
        revoked.revoke(at(5));
        for key in [withdrawn, revoked] {
            assert!(!key.verifies_at(at(5)) && key.sealed.is_none() && key.since() == at(5));
        }
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for state in [KeyState::Next, KeyState::Current, KeyState::Retired, KeyState::Revoked] {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!("Next".parse::<KeyState>(), Err(()));
    }
}
