//! Every budget of requests, in one place. Clones share the counts.

use std::sync::Arc;

use sme_pulse_domain::{clock::Clock, ids::UserId};

use crate::limit::{Budget, Limit, LimitConfig};

/// The budgets of the routes that need one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Log-ins per client.
    pub log_in: Limit,
    /// Requests for a link to set a new password, and uses of one, together per client.
    pub reset: Limit,
    /// Wrong old passwords per user.
    pub change_password: Budget<UserId>,
}

impl Limits {
    /// All budgets have the same size and window, each counts for itself.
    pub fn new(config: LimitConfig, clock: &Arc<dyn Clock>) -> Self {
        Self {
            log_in: Limit::new("login", config, Arc::clone(clock)),
            reset: Limit::new("reset", config, Arc::clone(clock)),
            change_password: Budget::new("change-password", config, Arc::clone(clock)),
        }
    }

    /// Forgets who has gone quiet; call it now and then.
    pub fn sweep(&self) {
        self.log_in.sweep();
        self.reset.sweep();
        self.change_password.sweep();
    }
}
