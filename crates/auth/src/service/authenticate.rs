//! From a token to the caller behind it: signature and claims first, then the server's own state, which a warm request
//! finds in memory.

use std::sync::Arc;

use sme_pulse_domain::api_key::KeyKind;
#[cfg(any(feature = "actix", feature = "axum"))]
use sme_pulse_domain::permission::Permission;

use super::{AuthService, KeySetError, known_members::Snapshot};
use crate::{
    AccessError, Principal,
    token::{AccessClaims, TokenError, VerifyError},
};

impl AuthService {
    /// The caller behind a token: genuine, of an existing user in this organization, with a live session, both active; or
    /// behind a key of an organization.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, AccessError> {
        // No signed token begins as keys do.
        if KeyKind::of(token).is_some() {
            return self.authenticate_key(token).await;
        }
        let claims = self.claims(token).await?;
        let snapshot = self.snapshot(&claims).await?;
        let principal = self.admit(&claims, &snapshot)?;
        if let Some(session) = principal.session() {
            self.seen.note(session, self.parts.clock.now());
        }
        Ok(principal)
    }

    /// The claims of a token that is good now. One whose key is not known may be signed with a key that is new, so the keys are
    /// read again, though not for every such token.
    pub(super) async fn claims(&self, token: &str) -> Result<Arc<AccessClaims>, AccessError> {
        match self.genuine(token) {
            Ok(claims) if self.key_reader.is_ready() => return Ok(claims),
            Ok(_) => self.key_reader.ready().await.map_err(unread)?,
            Err(VerifyError::Refused(TokenError::UnknownKey)) => {
                self.key_reader.look_for_unknown().await.map_err(unread)?;
            }
            Err(refused) => return Err(refused.into()),
        }
        Ok(self.genuine(token)?)
    }

    fn genuine(&self, token: &str) -> Result<Arc<AccessClaims>, VerifyError> {
        let verifier = self.parts.tokens.verifier();
        let claims = self.known.claims(verifier, token)?;
        verifier.check(&claims, self.parts.clock.now().timestamp())?;
        Ok(claims)
    }

    /// The state of the caller: from memory while the feed of changes is current, else from the database.
    pub(super) async fn snapshot(&self, claims: &AccessClaims) -> Result<Arc<Snapshot>, AccessError> {
        let key = (claims.user, claims.session);
        // First, because looking may make the memory forget.
        let current = self.feed.is_current();
        let now = self.parts.clock.monotonic();
        let began = match self.members.find(key.0, key.1, now) {
            // A refresh elsewhere may have extended it, of which nobody is told.
            Ok(snapshot) if current && self.has_expired(&snapshot) => Some(self.members.began(key.0)),
            Ok(snapshot) if current => {
                self.counts.from_memory.one_more();
                return Ok(snapshot);
            }
            Ok(_) => None,
            Err(began) => Some(began),
        };
        if current { &self.counts.from_database } else { &self.counts.bypassed }.one_more();
        let read = self.parts.store.principal(key.0, key.1).await;
        let row = read.map_err(undecided)?.ok_or(AccessError::UnknownUser)?;
        let snapshot = Arc::new(Snapshot::from(row));
        if let Some(began) = began.filter(|_| current) {
            self.members.keep(began, key, &snapshot, now);
        }
        Ok(snapshot)
    }

    /// Whether the session's own time is up; with the leeway of its tokens.
    fn has_expired(&self, state: &Snapshot) -> bool {
        let leeway = chrono::Duration::seconds(i64::from(self.parts.tokens.verifier().leeway()));
        let earliest = self.parts.clock.now().checked_sub_signed(leeway);
        state.session.is_some_and(|session| earliest.is_none_or(|earliest| earliest >= session.expires_at))
    }

    pub(super) fn admit(&self, claims: &AccessClaims, state: &Snapshot) -> Result<Principal, AccessError> {
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

fn unread(error: KeySetError) -> AccessError {
    match error {
        KeySetError::Store(error) => undecided(error),
        other => undecided(other),
    }
}

fn undecided(error: impl std::error::Error + Send + Sync + 'static) -> AccessError {
    AccessError::Undecided(Box::new(error))
}

#[cfg(any(feature = "actix", feature = "axum"))]
impl crate::guard::Authenticate for AuthService {
    fn authenticate<'a>(&'a self, token: &'a str) -> crate::guard::Authenticating<'a> {
        Box::pin(Self::authenticate(self, token))
    }

    fn reach<'a>(&'a self, token: &'a str, permission: Permission) -> crate::guard::Reaching<'a> {
        Box::pin(async move {
            if KeyKind::of(token) == Some(KeyKind::Service) {
                return self.service_account(token, permission).await.map(crate::guard::Reach::Installation);
            }
            crate::guard::reach_of(self.authenticate(token).await?, permission)
        })
    }
}
