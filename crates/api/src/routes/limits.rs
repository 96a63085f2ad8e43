//! Every budget of requests, in one place. Clones share the counts.

use std::sync::Arc;

use sme_pulse_auth::service::{FactorError, InvitationError};
use sme_pulse_domain::{
    clock::Clock,
    ids::{OrgId, SessionId, UserId},
};

use crate::{
    client_ip::ClientKey,
    edge::RequestContext,
    error::ApiError,
    limit::{Budget, Limit, LimitConfig},
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

impl Limits {
    /// All budgets have the same size and window, each counts for itself.
    pub fn new(config: LimitConfig, clock: &Arc<dyn Clock>) -> Self {
        Self {
            log_in: Limit::new("login", config, Arc::clone(clock)),
            refresh: Budget::new("refresh", config, Arc::clone(clock)),
            reset: Limit::new("reset", config, Arc::clone(clock)),
            change_password: Budget::new("change-password", config, Arc::clone(clock)),
            mfa: Limit::new("mfa", config, Arc::clone(clock)),
            proof: Budget::new("step-up", config, Arc::clone(clock)),
            invitation: Limit::new("invitation", config, Arc::clone(clock)),
            invite: Budget::new("invite", config, Arc::clone(clock)),
            sign_up: Limit::new("sign-up", config, Arc::clone(clock)),
            switch: Budget::new("switch-organization", config, Arc::clone(clock)),
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
        self.proof.admit(user, context)?;
        let result = attempt.await;
        if !result.as_ref().is_err_and(FactorError::is_wrong_proof) {
            self.proof.refund(user, context);
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
        self.invite.admit(org, context)?;
        let sent = sending.await;
        if sent.is_err() {
            self.invite.refund(org, context);
        }
        Ok(sent?)
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
