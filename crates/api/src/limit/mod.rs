//! Request budgets: never more than N requests per client in any window W.
//!
//! `actix-governor` gives the shape (middleware on the route, key extractor); its algorithm (GCRA) lets about 9 of 5
//! requests per 60 s through, so the counting is an exact sliding log of our own, which replicas can share in Redis.

mod budget;
mod extract;
mod middleware;
mod shared;
mod sliding;

use std::time::Duration;

pub use budget::{Admission, Budget};
pub use extract::ClientKeyExtractor;
pub use middleware::{Limit, LimitService};
pub use shared::{BudgetKey, SharedLog, SharedState};
pub use sliding::{Decision, SlidingLimiter};

/// One budget's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitConfig {
    /// `false` turns counting and both headers off.
    pub enabled: bool,
    /// N, at least 1.
    pub requests: u32,
    /// W, whole seconds, at least 1.
    pub window: Duration,
}
