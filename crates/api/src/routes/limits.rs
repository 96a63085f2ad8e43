//! Every budget of requests, in one place. Clones share the counts.

use std::sync::Arc;

use sme_pulse_domain::clock::Clock;

use crate::limit::{Limit, LimitConfig};

/// The budgets of the routes that need one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Log-ins per client.
    pub log_in: Limit,
}

impl Limits {
    /// All budgets have the same size and window, each counts for itself.
    pub fn new(config: LimitConfig, clock: &Arc<dyn Clock>) -> Self {
        Self { log_in: Limit::new("login", config, Arc::clone(clock)) }
    }

    /// Forgets who has gone quiet; call it now and then.
    pub fn sweep(&self) {
        self.log_in.sweep();
    }
}
