//! Every budget of requests, in one place. Clones share the counts.

use std::sync::Arc;

use sme_pulse_auth::service::FactorError;
use sme_pulse_domain::{clock::Clock, ids::UserId};

use crate::{
    edge::RequestContext,
    error::ApiError,
    limit::{Budget, Limit, LimitConfig},
};

/// The budgets of the routes that need one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Log-ins per client.
    pub log_in: Limit,
    /// Second halves of log-ins per client.
    pub mfa: Limit,
    /// Wrong codes and passwords per signed-in user.
    pub proof: Budget<UserId>,
}

impl Limits {
    /// All budgets have the same size and window, each counts for itself.
    pub fn new(config: LimitConfig, clock: &Arc<dyn Clock>) -> Self {
        let limit = |name| Limit::new(name, config, Arc::clone(clock));
        Self { log_in: limit("login"), mfa: limit("mfa"), proof: Budget::new("step-up", config, Arc::clone(clock)) }
    }

    /// Runs what needs a proof of this user, unless they have sent too many wrong ones lately. Counted before it is
    /// looked at, so that parallel ones cannot slip through; what was not wrong is taken back.
    pub(super) async fn proving<T>(
        &self,
        user: UserId,
        context: &RequestContext,
        attempt: impl Future<Output = Result<T, FactorError>>,
    ) -> Result<T, ApiError> {
        self.proof.admit(user, context)?;
        let result = attempt.await;
        if !result.as_ref().is_err_and(FactorError::is_wrong_proof) {
            self.proof.refund(user);
        }
        Ok(result?)
    }

    /// Forgets who has gone quiet; call it now and then.
    pub fn sweep(&self) {
        self.log_in.sweep();
        self.mfa.sweep();
        self.proof.sweep();
    }
}
