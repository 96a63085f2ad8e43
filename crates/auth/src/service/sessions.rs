//! A user's own sessions: seeing them, ending one or all of them, logging out.

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    ids::SessionId,
    session::{EndReason, Session},
};
use sme_pulse_persistence::{AsStoreError, StoreError, retrying};

use super::AuthService;
use crate::{AccessError, Principal};

/// Why a session could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no such live session of the caller. Somebody else's looks the same.
    #[error("the session does not exist")]
    NotFound,
    /// The calling session has ended meanwhile.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AsStoreError for SessionError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::NotFound | Self::Access(_) => None,
        }
    }
}

impl AuthService {
    /// The caller's live sessions, for whatever organization, newest first.
    pub async fn sessions(&self, caller: &Principal) -> Result<Vec<Session>, StoreError> {
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        tx.sessions().live_of(caller.user_id(), self.parts.clock.now()).await
    }

    /// Ends one of the caller's sessions; its token is refused from the next request on.
    pub async fn end_session(&self, caller: &Principal, id: SessionId, origin: &Origin) -> Result<(), SessionError> {
        let ended = self.end(caller, id, (EndReason::Ended, Action::SessionEnded), origin).await?;
        if ended { Ok(()) } else { Err(SessionError::NotFound) }
    }

    /// Ends the caller's session; its token is refused from the next request on. A token without a session has
    /// nothing to end.
    pub async fn log_out(&self, caller: &Principal, origin: &Origin) -> Result<(), StoreError> {
        let Some(session) = caller.session() else { return Ok(()) };
        self.end(caller, session, (EndReason::LoggedOut, Action::LogOut), origin).await.map(|_| ())
    }

    /// Ends all sessions of the caller, or all but the calling one; how many those were. Their tokens are refused from
    /// the next request on.
    pub async fn end_sessions(
        &self,
        caller: &Principal,
        include_current: bool,
        origin: &Origin,
    ) -> Result<u64, SessionError> {
        let (user, now) = (caller.user_id(), self.parts.clock.now());
        let kept = if include_current { None } else { caller.session() };
        let ended = retrying(|| async {
            let tx = self.parts.store.begin(caller.account_scope()).await?;
            // Two sessions that end each other at once: the second finds itself ended, and ends nobody.
            tx.sessions().lock_owner(user).await?;
            if let Some(calling) = caller.session()
                && !tx.sessions().is_live((calling, user), now).await?
            {
                return Err(SessionError::Access(AccessError::SessionEnded));
            }
            let ended = tx.sessions().end_all_but((kept, user), EndReason::EndedWithOthers, now).await?;
            if ended.all() > 0 {
                // The trail is home's, to which other organizations' sessions are no matter.
                let mut event = AuditEvent::by_user(Action::SessionsEnded, (user, caller.home_id()), origin);
                event.after = Some(Details::from([("ended".to_owned(), Some(ended.here.to_string()))]));
                tx.record(event, now).await?;
            }
            tx.commit().await?;
            Ok::<_, SessionError>(ended.all())
        })
        .await?;
        self.changed(user);
        Ok(ended)
    }

    async fn end(
        &self,
        caller: &Principal,
        id: SessionId,
        (reason, action): (EndReason, Action),
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let (user, now) = (caller.user_id(), self.parts.clock.now());
        // The end of the calling session stands in the trail of its organization; which others a person has is the matter
        // of their home.
        let is_calling = caller.session() == Some(id);
        let (scope, org) =
            if is_calling { (caller.scope(), caller.org_id()) } else { (caller.account_scope(), caller.home_id()) };
        let ended = retrying(|| async {
            let tx = self.parts.store.begin(scope).await?;
            let ended = tx.sessions().end((id, user), reason, now).await?;
            if ended {
                let mut event = AuditEvent::by_user(action, (user, org), origin);
                event.before = Some(Details::from([("session".to_owned(), Some(id.to_string()))]));
                tx.record(event, now).await?;
            }
            tx.commit().await?;
            Ok::<_, StoreError>(ended)
        })
        .await?;
        self.changed(user);
        Ok(ended)
    }
}
