//! What others ask and say about tokens they hold: whether one counts now (RFC 7662), and that it should not any more
//! (RFC 7009). Whoever asks sees their organization's tokens alone; anything else is no token to them, whatever it is.

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    email::Email,
    ids::{OrgId, SessionId, UserId},
    permission::Permission,
    refresh::Turn,
    role::{Role, RoleSet},
    session::EndReason,
    tenant::TenantScope,
};
use sme_pulse_persistence::{StoreError, retrying};

use super::{AuthService, PresentedRefresh, refresh::live_turn};
use crate::{AccessError, guard::Reach};

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectedKind {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

/// A token that counts now. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// What it is.
    pub kind: InspectedKind,
    /// Whose it is.
    pub user: UserId,
    /// For which organization.
    pub org: OrgId,
    /// Its session; only a log-in's tokens have one.
    pub session: Option<SessionId>,
    /// When it was made, if it says so.
    pub issued_at: Option<i64>,
    /// When it expires.
    pub expires_at: i64,
    /// The name of the token, if it has one.
    pub token_id: Option<String>,
    /// Who made it.
    pub issuer: String,
    /// Whom it is for.
    pub audience: String,
    /// What its holder may do, as of now.
    pub permissions: Vec<Permission>,
    /// The user's address, for those who may see who belongs to the organization.
    pub email: Option<Email>,
}

/// A session that was ended by one of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRevoked {
    /// Whose it was.
    pub user: UserId,
    /// For which organization.
    pub org: OrgId,
}

/// The holder of a token that counts.
struct Holder {
    inspected: Inspected,
    roles: RoleSet,
}

impl AuthService {
    /// What a token says as of now; `None` unless it is live and of an organization that the caller sees. Nothing is changed by
    /// it, not even when the session was last used.
    pub async fn introspect(&self, reach: &Reach, token: &str) -> Result<Option<Inspected>, AccessError> {
        Ok(self.holder(reach, token).await?.map(|holder| holder.inspected))
    }

    /// Ends the session behind a live token of an organization that the caller sees; `None` when it means nothing here. Only
    /// owners act on owners, which also holds for who has a token of theirs.
    pub async fn revoke_token(
        &self,
        reach: &Reach,
        token: &str,
        origin: &Origin,
    ) -> Result<Option<TokenRevoked>, AccessError> {
        let Some(Holder { inspected, roles }) = self.holder(reach, token).await? else { return Ok(None) };
        let Some(session) = inspected.session else { return Ok(None) };
        let (user, org) = (inspected.user, inspected.org);
        if let Reach::Organization(caller) = reach
            && roles.contains(Role::Owner)
            && !caller.roles().contains(Role::Owner)
        {
            return Err(AccessError::Forbidden { user: caller.user_id(), org: caller.org_id() });
        }
        let ended = retrying(|| self.end_by_token(reach, (session, user, org), origin)).await;
        let ended = ended.map_err(|error| AccessError::Undecided(Box::new(error)))?;
        self.changed(user);
        Ok(ended.then_some(TokenRevoked { user, org }))
    }

    async fn end_by_token(
        &self,
        reach: &Reach,
        (session, user, org): (SessionId, UserId, OrgId),
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let now = self.parts.clock.now();
        let tx = self.parts.store.begin(scope_of(reach, org)).await?;
        let ended = tx.sessions().end((session, user), EndReason::TokenRevoked, now).await?;
        if ended {
            let mut event = AuditEvent::about_user(Action::TokenRevoked, (user, org), origin);
            event.before = Some(Details::from([("session".to_owned(), Some(session.to_string()))]));
            match reach {
                Reach::Organization(caller) => event.actor = Some(caller.user_id()),
                Reach::Installation(service) => {
                    event.after = Some(Details::from([("service".to_owned(), Some(service.clone()))]));
                }
            }
            tx.record(event, now).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }

    async fn holder(&self, reach: &Reach, token: &str) -> Result<Option<Holder>, AccessError> {
        let found = match self.presented(token).token() {
            Some(_) => self.refresh_holder(reach, self.presented(token)).await?,
            None => self.access_holder(reach, token).await?,
        };
        Ok(found.filter(|holder| sees(reach, holder.inspected.org)))
    }

    /// The organization is compared as soon as the token is known to be genuine: what the rest of it costs tells nothing of
    /// another one's sessions.
    async fn access_holder(&self, reach: &Reach, token: &str) -> Result<Option<Holder>, AccessError> {
        let claims = match self.claims(token).await {
            Ok(claims) if sees(reach, claims.org) => claims,
            Err(error @ (AccessError::Undecided(_) | AccessError::Misconfigured)) => return Err(error),
            Ok(_) | Err(_) => return Ok(None),
        };
        let state = match self.snapshot(&claims).await {
            Ok(state) => state,
            Err(error @ (AccessError::Undecided(_) | AccessError::Misconfigured)) => return Err(error),
            Err(_) => return Ok(None),
        };
        let Ok(principal) = self.admit(&claims, &state) else { return Ok(None) };
        let inspected = Inspected {
            kind: InspectedKind::Access,
            issued_at: claims.issued_at,
            expires_at: claims.expires_at(),
            token_id: claims.token_id.clone(),
            email: principal.user().map(|user| user.email.clone()).filter(|_| sees_people(reach)),
            ..self.described((claims.user, claims.org, claims.session), principal.roles())
        };
        Ok(Some(Holder { inspected, roles: principal.roles().clone() }))
    }

    /// One read, whatever is found by it.
    async fn refresh_holder(&self, reach: &Reach, token: PresentedRefresh) -> Result<Option<Holder>, AccessError> {
        let Some(token) = token.token() else { return Ok(None) };
        let read = self.parts.store.session_for_refresh(token.session).await;
        let row = read.map_err(|error| AccessError::Undecided(Box::new(error)))?;
        let Some(row) = row.filter(|row| sees(reach, row.session.org)) else { return Ok(None) };
        let turn = live_turn(&row, token.counter, self.parts.clock.now());
        if !matches!(turn, Ok(Turn::Rotate { .. } | Turn::Repeat)) {
            return Ok(None);
        }
        let inspected = Inspected {
            kind: InspectedKind::Refresh,
            expires_at: row.session.expires_at.timestamp(),
            email: Some(row.user.email.clone()).filter(|_| sees_people(reach)),
            ..self.described((row.user.id, row.session.org, Some(row.session.id)), &row.roles)
        };
        Ok(Some(Holder { inspected, roles: row.roles }))
    }

    fn described(&self, (user, org, session): (UserId, OrgId, Option<SessionId>), roles: &RoleSet) -> Inspected {
        let signer = self.parts.tokens.signer();
        let permissions = Permission::ALL.into_iter().filter(|permission| permission.granted_to(roles));
        Inspected {
            kind: InspectedKind::Access,
            user,
            org,
            session,
            issued_at: None,
            expires_at: 0,
            token_id: None,
            issuer: signer.issuer().to_owned(),
            audience: signer.audience().to_owned(),
            permissions: permissions.collect(),
            email: None,
        }
    }
}

fn sees(reach: &Reach, org: OrgId) -> bool {
    reach.only().is_none_or(|only| only == org)
}

/// The operator's own services see tokens, not people.
fn sees_people(reach: &Reach) -> bool {
    matches!(reach, Reach::Organization(caller) if caller.may(Permission::ReadUsers))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a live token of this organization, which the caller sees, has just been checked"
)]
fn scope_of(reach: &Reach, org: OrgId) -> TenantScope {
    match reach {
        Reach::Organization(caller) => caller.scope(),
        Reach::Installation(_) => TenantScope::assume_verified(org, None),
    }
}
