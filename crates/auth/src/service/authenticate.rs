//! From a token to the caller behind it: signature and claims first, then the server's own state, which a warm request
//! finds in memory.

use std::sync::Arc;

use super::{AuthService, known_members::Snapshot};
use crate::{AccessError, Principal, token::AccessClaims};

impl AuthService {
    /// The caller behind a token: genuine, of an existing user in this organization, with a live session, both active.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, AccessError> {
        let verifier = &self.parts.verifier;
        let claims = self.tokens.claims(verifier, token)?;
        claims.check_times(self.parts.clock.now().timestamp(), verifier.leeway())?;
        let snapshot = self.snapshot(&claims).await?;
        let principal = self.admit(&claims, &snapshot)?;
        if let Some(session) = principal.session() {
            self.seen.note(session, self.parts.clock.now());
        }
        Ok(principal)
    }

    /// The state of the caller: from memory while the feed of changes is current, else from the database.
    async fn snapshot(&self, claims: &AccessClaims) -> Result<Arc<Snapshot>, AccessError> {
        let key = (claims.user, claims.session);
        // First, because looking may make the memory forget.
        let current = self.feed.is_current();
        let now = self.parts.clock.monotonic();
        let began = match self.members.find(key.0, key.1, now) {
            // A refresh elsewhere may have extended it, of which nobody is told.
            Ok(snapshot) if current && self.has_expired(&snapshot) => Some(self.members.began(key.0)),
            Ok(snapshot) if current => return Ok(snapshot),
            Ok(_) => None,
            Err(began) => Some(began),
        };
        let read = self.parts.store.principal(key.0, key.1).await;
        let row = read.map_err(|error| AccessError::Undecided(Box::new(error)))?.ok_or(AccessError::UnknownUser)?;
        let snapshot = Arc::new(Snapshot::from(row));
        if let Some(began) = began.filter(|_| current) {
            self.members.keep(began, key, &snapshot, now);
        }
        Ok(snapshot)
    }

    /// Whether the session's own time is up; with the leeway of its tokens.
    fn has_expired(&self, state: &Snapshot) -> bool {
        let leeway = chrono::Duration::seconds(i64::from(self.parts.verifier.leeway()));
        let earliest = self.parts.clock.now().checked_sub_signed(leeway);
        state.session.is_some_and(|session| earliest.is_none_or(|earliest| earliest >= session.expires_at))
    }

    fn admit(&self, claims: &AccessClaims, state: &Snapshot) -> Result<Principal, AccessError> {
        let user = &state.member.user;
        if claims.org != state.member.org {
            return Err(AccessError::OrganizationMismatch { user: user.id, claimed: claims.org });
        }
        if !state.is_member {
            return Err(AccessError::OrganizationMismatch { user: user.id, claimed: claims.org });
        }
        let now = self.parts.clock.now();
        let mut caller = Principal::new(Arc::clone(&state.member), claims.session);
        if claims.session.is_some() {
            let session = state.session.ok_or(AccessError::SessionEnded)?;
            if session.revoked_at.is_some() || self.has_expired(state) || session.org != claims.org {
                return Err(AccessError::SessionEnded);
            }
            caller = caller.proved(session.authenticated_at, session.methods, now);
        }
        if !user.status.is_active() || !state.org_status.is_active() {
            return Err(AccessError::Inactive { user: user.id });
        }
        Ok(caller)
    }
}

#[cfg(feature = "actix")]
impl crate::guard::Authenticate for AuthService {
    fn authenticate<'a>(&'a self, token: &'a str) -> crate::guard::Authenticating<'a> {
        Box::pin(Self::authenticate(self, token))
    }
}
