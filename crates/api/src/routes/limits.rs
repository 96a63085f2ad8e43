//! Every budget of requests, in one place. Clones share the counts.

use std::{fmt, sync::Arc};

use sme_pulse_auth::service::{FactorError, InvitationError};
use sme_pulse_domain::{
    clock::Clock,
    ids::{OrgId, SessionId, UserId},
};

use crate::{
    client_ip::ClientKey,
    edge::RequestContext,
    error::ApiError,
    limit::{Budget, Limit, LimitConfig, SharedLog, SharedState},
};

/// The budgets of the routes that need one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Log-ins per client.
    pub log_in: Limit,
    /// Refreshes per client and session.
    pub refresh: Budget<RefreshKey>,
    /// Requests for a link to set a new password, and uses of one, together per client.
    pub reset: Limit,
    /// Wrong old passwords per user.
    pub change_password: Budget<UserId>,
    /// Second halves of log-ins per client.
    pub mfa: Limit,
    /// Wrong codes and passwords per signed-in user.
    pub proof: Budget<UserId>,
    /// Looks at invitations and uses of them, together per client.
    pub invitation: Limit,
    /// Invitations that an organization sends, first ones and repeated ones.
    pub invite: Budget<OrgId>,
    /// Sign-ups of companies and their confirmations, together per client.
    pub sign_up: Limit,
    /// Switches to another organization per user.
    pub switch: Budget<UserId>,
    shared: Option<SharedLog>,
}

/// Whose refresh counts together: people in one office share an address and not a session; who guesses tokens has no
/// session, and is counted by the address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefreshKey {
    client: ClientKey,
    session: Option<SessionId>,
}

impl RefreshKey {
    /// The key of a request; the session only of a genuine token.
    pub fn new(context: &RequestContext, session: Option<SessionId>) -> Self {
        Self { client: ClientKey::from(context.client_ip()), session }
    }
}

impl fmt::Display for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.fmt(f)?;
        self.session.map_or(Ok(()), |session| write!(f, " {session}"))
    }
}

impl Limits {
    /// All budgets have the same size and window, each counts for itself.
    ///
    /// With `shared` they hold over all replicas; somebody has to [keep](SharedLog::keep) it.
    pub fn new(config: LimitConfig, clock: &Arc<dyn Clock>, shared: Option<SharedLog>) -> Self {
        // A budget that is off has nothing to share.
        let shared = shared.filter(|_| config.enabled);
        Self {
            log_in: Limit::new("login", config, Arc::clone(clock), shared.clone()),
            refresh: Budget::new("refresh", config, Arc::clone(clock), shared.clone()),
            reset: Limit::new("reset", config, Arc::clone(clock), shared.clone()),
            change_password: Budget::new("change-password", config, Arc::clone(clock), shared.clone()),
            mfa: Limit::new("mfa", config, Arc::clone(clock), shared.clone()),
            proof: Budget::new("step-up", config, Arc::clone(clock), shared.clone()),
            invitation: Limit::new("invitation", config, Arc::clone(clock), shared.clone()),
            invite: Budget::new("invite", config, Arc::clone(clock), shared.clone()),
            sign_up: Limit::new("sign-up", config, Arc::clone(clock), shared.clone()),
            switch: Budget::new("switch-organization", config, Arc::clone(clock), shared.clone()),
            shared,
        }
    }

    /// Runs what needs a proof of this user, unless they have sent too many wrong ones lately. Counted before it is
    /// looked at, so that parallel ones cannot slip through; what was not wrong is taken back.
    pub(super) async fn proving<T>(
        &self,
        user: UserId,
        context: &RequestContext,
        attempt: impl Future<Output = Result<T, FactorError>>,
    ) -> Result<T, ApiError> {
        let admission = self.proof.admit(user, context).await?;
        let result = attempt.await;
        if !result.as_ref().is_err_and(FactorError::is_wrong_proof) {
            self.proof.refund(user, admission, context).await;
        }
        Ok(result?)
    }

    /// Sends an invitation, unless the organization has sent too many lately. One that was refused is taken back: no mail
    /// leaves.
    pub(super) async fn inviting<T>(
        &self,
        org: OrgId,
        context: &RequestContext,
        sending: impl Future<Output = Result<T, InvitationError>>,
    ) -> Result<T, ApiError> {
        let admission = self.invite.admit(org, context).await?;
        let sent = sending.await;
        if sent.is_err() {
            self.invite.refund(org, admission, context).await;
        }
        Ok(sent?)
    }

    /// The counts that all replicas share, when they do.
    pub fn shared(&self) -> Option<&SharedLog> {
        self.shared.as_ref()
    }

    /// How sharing goes; `None` when it is not configured.
    pub fn shared_state(&self) -> Option<SharedState> {
        self.shared.as_ref().map(SharedLog::state)
    }

    /// Forgets who has gone quiet; call it now and then.
    pub fn sweep(&self) {
        self.log_in.sweep();
        self.refresh.sweep();
        self.reset.sweep();
        self.change_password.sweep();
        self.mfa.sweep();
        self.proof.sweep();
        self.invitation.sweep();
        self.invite.sweep();
        self.sign_up.sweep();
        self.switch.sweep();
    }
}
