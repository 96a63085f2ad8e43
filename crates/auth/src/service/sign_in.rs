//! What a client holds once it has proved who it is: an access token, a refresh token, a session.

use chrono::{DateTime, Duration, Utc};
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    role::RoleSet,
    session::Session,
    user::User,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{AuthService, Position, refresh_token::RefreshToken};
use crate::token::{NewToken, SigningError, token_id};

/// The tokens of a session, and whose they are. There is no `Debug`: it holds a refresh token.
#[derive(Clone)]
pub struct SignedIn {
    /// The access token.
    pub token: String,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// The refresh token.
    pub refresh_token: Zeroizing<String>,
    /// Seconds until the refresh token is refused, unless it is used before.
    pub refresh_expires_in: i64,
    /// Who is signed in.
    pub user: User,
    /// The organization the tokens are for.
    pub org: OrgId,
    /// The roles held in it.
    pub roles: RoleSet,
    /// The session.
    pub session: SessionId,
    /// What the device should send with its next log-in ([`AuthService::known_device`]); only a log-in gives one.
    pub device_token: Option<String>,
}

/// An access token by itself.
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// Its lifetime in seconds.
    pub expires_in: i64,
}

impl AuthService {
    /// Where the next token stands among the revocations. Ask for it *before* reading the roles that go into the token.
    pub(super) async fn position(&self) -> Position {
        self.revocations.position().await
    }

    /// Tokens for a session as it is now; `counter` is the place of the refresh token among the session's. The roles were read
    /// after the position was.
    pub(super) fn issue(
        &self,
        position: Position,
        (user, roles): (User, RoleSet),
        (session, counter): (&Session, i64),
        now: DateTime<Utc>,
    ) -> Result<SignedIn, SigningError> {
        let AccessToken { token, expires_in } = self.access_token(position, (user.id, &roles), session, now)?;
        Ok(SignedIn {
            token,
            expires_in,
            refresh_token: RefreshToken { session: session.id, counter }.seal(&self.keys.refresh_token),
            refresh_expires_in: session.expires_at.signed_duration_since(now).num_seconds(),
            user,
            org: session.org,
            roles,
            session: session.id,
            device_token: None,
        })
    }

    /// An access token for a session as it is now. The roles were read after the position was.
    pub(super) fn access_token(
        &self,
        position: Position,
        (user, roles): (UserId, &RoleSet),
        session: &Session,
        now: DateTime<Utc>,
    ) -> Result<AccessToken, SigningError> {
        let lifetime = self.parts.settings.token_lifetime.min(session.expires_at.signed_duration_since(now));
        let token = self.parts.tokens.signer().sign(&NewToken {
            user,
            org: session.org,
            session: session.id,
            roles,
            token_id: self.token_id(position),
            issued_at: now.timestamp(),
            expires_at: now.timestamp().saturating_add(lifetime.num_seconds()),
            methods: session.methods,
            authenticated_at: session.authenticated_at.timestamp(),
        })?;
        Ok(AccessToken { token, expires_in: lifetime.num_seconds() })
    }

    /// The name of a new token.
    fn token_id(&self, Position(position): Position) -> Uuid {
        let mut random = [0; 16];
        self.parts.rng.fill(&mut random);
        token_id(position, random)
    }

    /// When a session that was opened then and is used now ends by itself.
    pub(super) fn session_end(&self, created_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        self.idle_end(now).min(after(created_at, self.parts.settings.refresh_max))
    }

    /// When a session that is used now ends if it is not used again, however young it is.
    pub(super) fn idle_end(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        after(now, self.parts.settings.refresh_idle)
    }
}

fn after(start: DateTime<Utc>, time: Duration) -> DateTime<Utc> {
    start.checked_add_signed(time).unwrap_or(start)
}
