//! How following an issuer is going, for health pages and alarms.

use chrono::{DateTime, Utc};

/// How it is going. Times are the verifier's clock's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The published keys.
    pub keys: KeysStatus,
    /// The feed of revocations; `None` where none is followed.
    pub feed: Option<FeedStatus>,
}

/// How fetching keys is going.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeysStatus {
    /// When they were last fetched.
    pub fetched_at: Option<DateTime<Utc>>,
    /// How often they were tried to fetch.
    pub fetches: u64,
    /// How many tries have failed since the last that did not.
    pub failures: u32,
    /// Why the last one did, if it did.
    pub failure: Option<String>,
}

/// How following revocations is going.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedStatus {
    /// When the last sign of life came.
    pub heard_at: Option<DateTime<Utc>>,
    /// The number up to which everything is known.
    pub seq: u64,
    /// How many genuine messages have come.
    pub messages: u64,
    /// How often a connection was tried.
    pub connections: u64,
    /// How many connections have ended without a sign of life since the last that had one.
    pub failures: u32,
    /// Why the last one ended.
    pub failure: Option<String>,
}

impl Status {
    /// Whether keys have been fetched, and the feed, if it is followed, has spoken.
    pub fn is_ready(&self) -> bool {
        self.keys.fetched_at.is_some() && self.feed.as_ref().is_none_or(|feed| feed.heard_at.is_some())
    }
}
