//! Refresh: the newest token of a session for the next one and an access token that says how things are now. On
//! PostgreSQL one statement, on SQLite one read and one conditional update; only a token that comes back late costs more.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    ids::{SessionId, UserId},
    refresh::Turn,
    session::{EndReason, Session},
    tenant::TenantScope,
};
use sme_pulse_persistence::{RefreshRow, Rotation, Step, StoreError, retrying};

use super::{AuthService, Position, SignedIn, figures::Refreshed, refresh_token::RefreshToken};
use crate::token::SigningError;

/// A refresh token as sent, after its MAC was checked.
#[derive(Debug, Clone, Copy)]
pub struct PresentedRefresh(Option<RefreshToken>);

impl PresentedRefresh {
    /// The session that a genuine token names, live or not; `None` for whatever this service did not write.
    pub fn session(self) -> Option<SessionId> {
        self.0.map(|token| token.session)
    }

    pub(super) const fn token(self) -> Option<RefreshToken> {
        self.0
    }
}

/// Which check refused. For the log only: clients see one answer for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// No token of this service.
    NotGenuine,
    /// Its session is not there any more.
    NoSession,
    /// Its session was ended.
    Ended(UserId),
    /// Its session's time is up.
    Expired(UserId),
    /// It is newer than what the database knows, as after a restored backup.
    Unknown(UserId),
    /// It had been replaced and its successor used; the session has been ended for it.
    Reused(UserId),
    /// The user does not belong to the session's organization any more.
    NotAMember(UserId),
    /// The user is inactive.
    InactiveUser(UserId),
    /// The organization is suspended.
    SuspendedOrganization(UserId),
}

/// Why there are no new tokens.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is refused; the reason is for the log.
    #[error("refresh refused")]
    Refused(RefreshRefusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl AuthService {
    /// Checks the MAC of a refresh token, so that the caller may count by session before anything is read.
    pub fn presented(&self, refresh_token: &str) -> PresentedRefresh {
        PresentedRefresh(RefreshToken::open(refresh_token, &self.keys.refresh_token))
    }

    /// New tokens for a refresh token: for the newest of its session the next one, for the one before it the same
    /// successor again while that is unused. Anything older ends the session.
    pub async fn refresh(&self, presented: PresentedRefresh, origin: &Origin) -> Result<SignedIn, RefreshError> {
        let outcome = self.try_refresh(presented, origin).await;
        self.counts.refresh(outcome.as_ref().map(|(_, how)| *how));
        outcome.map(|(done, _)| done)
    }

    async fn try_refresh(
        &self,
        presented: PresentedRefresh,
        origin: &Origin,
    ) -> Result<(SignedIn, Refreshed), RefreshError> {
        let token = presented.0.ok_or(RefreshError::Refused(RefreshRefusal::NotGenuine))?;
        let position = self.position().await;
        if let Some(done) = self.step(position, token).await? {
            return Ok((done, Refreshed::Rotated));
        }
        // Who loses the update against another tab reads again, and then finds that its token is the one before the
        // newest, or something worse. Counters only grow, so this ends.
        loop {
            let now = self.parts.clock.now();
            let read = self.parts.store.session_for_refresh(token.session).await?;
            let row = read.ok_or(RefreshError::Refused(RefreshRefusal::NoSession))?;
            let turn = judge(&row, token.counter, now).map_err(RefreshError::Refused)?;
            if turn == Turn::Reused {
                self.end_reused(&row.session, token.counter, origin, now).await?;
                return Err(RefreshError::Refused(RefreshRefusal::Reused(row.user.id)));
            }
            may_go_on(&row).map_err(RefreshError::Refused)?;
            let Turn::Rotate { next } = turn else {
                let done = self.issue(position, (row.user, row.roles), (&row.session, row.counter), now)?;
                return Ok((done, Refreshed::Repeated));
            };
            let expires_at = self.session_end(row.session.created_at, now);
            if expires_at <= now {
                return Err(RefreshError::Refused(RefreshRefusal::Expired(row.user.id)));
            }
            let session = Session { expires_at, ..row.session };
            let rotation = Rotation { session: session.id, from: row.counter, to: next, expires_at, at: now };
            if retrying(|| self.parts.store.rotate_refresh(rotation)).await? {
                let done = self.issue(position, (row.user, row.roles), (&session, next), now)?;
                return Ok((done, Refreshed::Rotated));
            }
        }
    }

    /// What nearly every refresh is, where the database can do it in one statement; `None` says nothing but that the
    /// other way has to be gone, which knows all the rules.
    async fn step(&self, position: Position, token: RefreshToken) -> Result<Option<SignedIn>, RefreshError> {
        // If it is the newest: the statement makes sure of that.
        let Turn::Rotate { next } = Turn::of(token.counter, token.counter) else { return Ok(None) };
        let now = self.parts.clock.now();
        let step = Step {
            session: token.session,
            from: token.counter,
            to: next,
            idle_end: self.idle_end(now),
            longest: self.parts.settings.refresh_max,
            at: now,
        };
        let Some(row) = retrying(|| self.parts.store.step_refresh(step)).await? else { return Ok(None) };
        Ok(Some(self.issue(position, (row.user, row.roles), (&row.session, row.counter), now)?))
    }

    /// Two replays at once end it once, with one event.
    async fn end_reused(
        &self,
        session: &Session,
        counter: i64,
        origin: &Origin,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        retrying(|| async {
            let tx = self.parts.store.begin(scope_of(session)).await?;
            if tx.sessions().end((session.id, session.user), EndReason::RefreshReused, now).await? {
                let mut event = AuditEvent::about_user(Action::RefreshReused, (session.user, session.org), origin);
                event.before = Some(Details::from([
                    ("session".to_owned(), Some(session.id.to_string())),
                    ("token_number".to_owned(), Some(counter.to_string())),
                ]));
                tx.record(event, now).await?;
            }
            tx.commit().await
        })
        .await?;
        self.changed(session.user);
        Ok(())
    }
}

/// What the token is worth, if its session lives. Before the user's status counts: a stolen token ends the session of
/// an inactive user as well.
fn judge(row: &RefreshRow, presented: i64, now: DateTime<Utc>) -> Result<Turn, RefreshRefusal> {
    let user = row.user.id;
    if row.session.revoked_at.is_some() {
        return Err(RefreshRefusal::Ended(user));
    }
    if !row.session.is_live(now) {
        return Err(RefreshRefusal::Expired(user));
    }
    match Turn::of(row.counter, presented) {
        Turn::Unknown => Err(RefreshRefusal::Unknown(user)),
        turn => Ok(turn),
    }
}

/// What the token would be worth to a refresh at this time.
#[cfg(any(feature = "actix", feature = "axum"))]
pub(super) fn live_turn(row: &RefreshRow, presented: i64, now: DateTime<Utc>) -> Result<Turn, RefreshRefusal> {
    may_go_on(row)?;
    judge(row, presented, now)
}

/// Whose session may be refreshed. The one statement of `Store::step_refresh` has the same conditions for the refresh that
/// succeeds: a rule that is added here has to be added there.
fn may_go_on(row: &RefreshRow) -> Result<(), RefreshRefusal> {
    let user = &row.user;
    if !row.is_member {
        Err(RefreshRefusal::NotAMember(user.id))
    } else if !user.status.is_active() {
        Err(RefreshRefusal::InactiveUser(user.id))
    } else if !row.org_status.is_active() {
        Err(RefreshRefusal::SuspendedOrganization(user.id))
    } else {
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a genuine token of this session has just been verified")]
const fn scope_of(session: &Session) -> TenantScope {
    TenantScope::assume_verified(session.org, Some(session.user))
}
