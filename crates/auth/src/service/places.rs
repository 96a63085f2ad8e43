//! The organizations of one person: which there are, where a log-in leads, and switching from one to another. The
//! organization is a property of the session and its tokens, so each has sessions of its own, side by side.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    ids::{OrgId, SessionId},
    organization::Place,
    refresh::Turn,
    role::RoleSet,
    session::Session,
    status::Status,
    tenant::TenantScope,
    text,
    user::User,
};
use sme_pulse_persistence::{AsStoreError, StoreError, TenantTx, retrying};

use super::{AuthService, Position, PresentedRefresh, RECENT_MINUTES, SignedIn, profile};
use crate::{AccessError, Principal, token::SigningError};

/// Why there is no session in the other organization.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// There is no such active organization that the caller belongs to. Others look the same.
    #[error("the caller belongs to no such organization")]
    NotFound,
    /// The token belongs to no session, so there is nothing to go on from.
    #[error("the token belongs to no session")]
    NoSession,
    /// The session is for that organization already.
    #[error("the session is for that organization already")]
    AlreadyThere,
    /// Somebody at home set the password and could enter with it.
    #[error("the password was set by somebody else")]
    PasswordOfAnother,
    /// The calling session has ended meanwhile, or more proof is needed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl AsStoreError for SwitchError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl AuthService {
    /// The active organizations that the caller belongs to, home first. While somebody at home set the password and could be
    /// the caller, those are home and the organization of the session alone: where else people work is not home's to know.
    pub async fn organizations(&self, caller: &Principal) -> Result<Vec<Place>, StoreError> {
        let tx = self.parts.store.begin_read(caller.account_scope()).await?;
        let given = tx.passwords().is_given(caller.user_id()).await?;
        drop(tx);
        let places = self.parts.store.places_of(caller.user_id()).await?.into_iter();
        Ok(places.filter(|place| !given || place.is_home || place.org == caller.org_id()).collect())
    }

    /// A new session of the caller in another of their organizations, beside the calling one: as old as it is, and proved
    /// when and how it was, so that switching makes nothing last longer or count for more. An access token alone must not
    /// become a session of its own, which would outlive it: the caller also shows the refresh token of the calling session,
    /// or has proved lately who they are.
    pub async fn switch_organization(
        &self,
        caller: &Principal,
        (org, shown): (OrgId, Option<PresentedRefresh>),
        arrival: (Option<&str>, &Origin),
    ) -> Result<SignedIn, SwitchError> {
        let calling = caller.session().ok_or(SwitchError::NoSession)?;
        if org == caller.org_id() {
            return Err(SwitchError::AlreadyThere);
        }
        if !self.holds_session(calling, shown).await? {
            caller.require_recent(RECENT_MINUTES)?;
        }
        let position = self.position().await;
        retrying(|| self.switch(position, caller, (calling, org), arrival)).await
    }

    /// Whether the refresh token shown is one that the session would still take.
    async fn holds_session(&self, session: SessionId, shown: Option<PresentedRefresh>) -> Result<bool, StoreError> {
        let Some(token) = shown.and_then(PresentedRefresh::token).filter(|token| token.session == session) else {
            return Ok(false);
        };
        let row = self.parts.store.session_for_refresh(session).await?;
        let turn = row.map(|row| Turn::of(row.counter, token.counter));
        Ok(matches!(turn, Some(Turn::Rotate { .. } | Turn::Repeat)))
    }

    async fn switch(
        &self,
        position: Position,
        caller: &Principal,
        (calling, org): (SessionId, OrgId),
        (user_agent, origin): (Option<&str>, &Origin),
    ) -> Result<SignedIn, SwitchError> {
        let (user, now) = (profile(caller)?, self.parts.clock.now());
        let tx = self.parts.store.begin(caller.account_scope()).await?;
        // A new password and a log-out everywhere wait for this, or have ended the calling session before.
        tx.sessions().lock_owner(user.id).await?;
        let calling = tx.sessions().find_live((calling, user.id), now).await?.ok_or(AccessError::SessionEnded)?;
        let given = tx.passwords().is_given(user.id).await?;
        let tx = tx.go_on_in(scope_of(org, user)).await?;
        let roles = tx.newcomers().roles_of(user.id).await?.ok_or(SwitchError::NotFound)?;
        if given && org != user.org {
            return Err(SwitchError::PasswordOfAnother);
        }
        let session = Session {
            id: SessionId::new(self.parts.rng.uuid()),
            org,
            expires_at: self.session_end(calling.created_at, now),
            last_seen_at: Some(now),
            client_ip: origin.client_ip.clone(),
            user_agent: user_agent.map(|agent| text::cut(agent, text::USER_AGENT).to_owned()),
            ..calling
        };
        if session.expires_at <= now {
            return Err(AccessError::SessionEnded.into());
        }
        let done = self.issue(position, (user.clone(), roles), (&session, 0), now)?;
        tx.sessions().open(&session).await?;
        tx.record(entered(user, &session, origin), now).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Where a log-in of this user leads: home, or while that is suspended to the first of their other organizations;
    /// `None` when there is none.
    pub(super) async fn landing(
        &self,
        user: &User,
        home: (Status, &RoleSet),
    ) -> Result<Option<(OrgId, RoleSet)>, StoreError> {
        if home.0.is_active() {
            return Ok(Some((user.org, home.1.clone())));
        }
        let tx = self.parts.store.begin_read(scope_of(user.org, user)).await?;
        if tx.passwords().is_given(user.id).await? {
            return Ok(None);
        }
        drop(tx);
        let places = self.parts.store.places_of(user.id).await?;
        Ok(places.into_iter().find(|place| !place.is_home).map(|place| (place.org, place.roles)))
    }
}

/// Opens the session of a log-in that was recorded at its user, and commits. The log-in stands in the trail of the user's home,
/// which governs the account; entering another organization stands in that one's.
pub(super) async fn land(
    tx: TenantTx,
    user: &User,
    session: &Session,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let log_in = AuditEvent::by_user(Action::LogIn, (user.id, user.org), origin);
    if session.org == user.org {
        tx.sessions().open(session).await?;
        tx.record(log_in, now).await?;
        return tx.commit().await;
    }
    tx.record(log_in, now).await?;
    let tx = tx.go_on_in(scope_of(session.org, user)).await?;
    tx.sessions().open(session).await?;
    tx.record(entered(user, session, origin), now).await?;
    tx.commit().await
}

fn entered(user: &User, session: &Session, origin: &Origin) -> AuditEvent {
    let event = AuditEvent::by_user(Action::OrganizationEntered, (user.id, session.org), origin);
    let session = ("session".to_owned(), Some(session.id.to_string()));
    AuditEvent { after: Some(Details::from([session])), ..event }
}

#[expect(clippy::disallowed_methods, reason = "that the user belongs there is asked in it before anything is written")]
const fn scope_of(org: OrgId, user: &User) -> TenantScope {
    TenantScope::assume_verified(org, Some(user.id))
}
