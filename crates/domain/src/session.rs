//! A session: one log-in on one device, and what ends it.

use chrono::{DateTime, Utc};

use crate::{
    ids::{OrgId, SessionId, UserId},
    method::Methods,
};

/// A row of `auth.sessions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its key, the `sid` of its tokens.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// The organization its tokens are for.
    pub org: OrgId,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself unless it is refreshed before.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// The client's address as the rate limit sees it.
    pub client_ip: Option<String>,
    /// The client's user agent, cut to 255 characters.
    pub user_agent: Option<String>,
    /// Set once it has been ended.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When its holder last proved who they are: at the log-in, or later in between.
    pub authenticated_at: DateTime<Utc>,
    /// How they did.
    pub methods: Methods,
}

impl Session {
    /// Whether its tokens are still good at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// Why a session was ended, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The user logged out.
    LoggedOut,
    /// The user ended it from another session, or by its id.
    Ended,
    /// The user ended several sessions at once.
    EndedWithOthers,
    /// An old refresh token of it came back.
    RefreshReused,
    /// The password was changed in another session.
    PasswordChanged,
    /// The password was set anew with a link from a mail.
    PasswordReset,
    /// Somebody who may set a new password.
    PasswordSet,
    /// Its user was deactivated, in all organizations or in that of the session.
    Deactivated,
    /// Somebody who may took back one of its tokens.
    TokenRevoked,
}

impl EndReason {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Ended => "ended",
            Self::EndedWithOthers => "ended_with_others",
            Self::RefreshReused => "refresh_reused",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::PasswordSet => "password_set",
            Self::Deactivated => "deactivated",
            Self::TokenRevoked => "token_revoked",
        }
    }
}
