//! What the service counts for those who watch it, and what it tells of itself when asked.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{AuthService, LogInError, LogInOutcome, RefreshError, RefreshRefusal};

/// How often something has happened since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What, in a fixed word.
    pub what: &'static str,
    /// How often.
    pub times: u64,
}

/// The service at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthFigures {
    /// Log-ins by how they ended: `success`, `second_factor`, `refused`, `slowed`, `overloaded`, `error`.
    pub log_ins: Vec<Counted>,
    /// Refreshes by how they ended: `rotated`, `repeated` (the lost answer once more), `reused` (theft: the session was ended),
    /// `refused`, `error`.
    pub refreshes: Vec<Counted>,
    /// Where the state of callers came from: `memory`, `database`, or `bypassed` (the database, because news of changes did
    /// not arrive).
    pub callers: Vec<Counted>,
    /// Errands such as mails by how they ended: `sent`, `failed`, `turned_away` (too many were waiting).
    pub errands: Vec<Counted>,
    /// Errands not finished yet.
    pub errands_waiting: usize,
    /// Whether news of changes arrive, so that what is remembered may be believed.
    pub follows_changes: bool,
}

/// One counter.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn named(&self, what: &'static str) -> Counted {
        Counted { what, times: self.0.load(Ordering::Relaxed) }
    }
}

/// The counters of the service itself.
#[derive(Debug, Default)]
pub(super) struct Counts {
    log_ins: LogInCounts,
    refreshes: RefreshCounts,
    pub(super) from_memory: Count,
    pub(super) from_database: Count,
    pub(super) bypassed: Count,
}

#[derive(Debug, Default)]
struct LogInCounts {
    success: Count,
    second_factor: Count,
    refused: Count,
    slowed: Count,
    overloaded: Count,
    error: Count,
}

#[derive(Debug, Default)]
struct RefreshCounts {
    rotated: Count,
    repeated: Count,
    reused: Count,
    refused: Count,
    error: Count,
}

/// What a refresh did that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refreshed {
    Rotated,
    Repeated,
}

impl Counts {
    pub(super) fn log_in(&self, outcome: &Result<LogInOutcome, LogInError>) {
        let counts = &self.log_ins;
        let count = match outcome {
            Ok(LogInOutcome::SignedIn(_)) => &counts.success,
            Ok(LogInOutcome::FactorNeeded(_)) => &counts.second_factor,
            Err(LogInError::Refused { .. }) => &counts.refused,
            Err(LogInError::Slowed { .. }) => &counts.slowed,
            Err(LogInError::Overloaded(_)) => &counts.overloaded,
            Err(LogInError::Store(_) | LogInError::Signing(_)) => &counts.error,
        };
        count.one_more();
    }

    pub(super) fn refresh(&self, outcome: Result<Refreshed, &RefreshError>) {
        let counts = &self.refreshes;
        let count = match outcome {
            Ok(Refreshed::Rotated) => &counts.rotated,
            Ok(Refreshed::Repeated) => &counts.repeated,
            Err(RefreshError::Refused(RefreshRefusal::Reused(_))) => &counts.reused,
            Err(RefreshError::Refused(_)) => &counts.refused,
            Err(RefreshError::Store(_) | RefreshError::Signing(_)) => &counts.error,
        };
        count.one_more();
    }
}

impl AuthService {
    /// What has been counted since the start, and what is now.
    pub fn figures(&self) -> AuthFigures {
        let Counts { log_ins, refreshes, from_memory, from_database, bypassed } = &self.counts;
        AuthFigures {
            log_ins: vec![
                log_ins.success.named("success"),
                log_ins.second_factor.named("second_factor"),
                log_ins.refused.named("refused"),
                log_ins.slowed.named("slowed"),
                log_ins.overloaded.named("overloaded"),
                log_ins.error.named("error"),
            ],
            refreshes: vec![
                refreshes.rotated.named("rotated"),
                refreshes.repeated.named("repeated"),
                refreshes.reused.named("reused"),
                refreshes.refused.named("refused"),
                refreshes.error.named("error"),
            ],
            callers: vec![from_memory.named("memory"), from_database.named("database"), bypassed.named("bypassed")],
            errands: self.errands.counted(),
            errands_waiting: self.errands.unfinished(),
            follows_changes: self.feed.is_current(),
        }
    }
}
