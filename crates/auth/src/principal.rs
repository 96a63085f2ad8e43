//! The verified caller: the source of every tenant scope.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sme_pulse_domain::{
    api_key,
    ids::{ApiKeyId, OrgId, SessionId, UserId},
    method::{Method, Methods},
    permission::Permission,
    permission_set::PermissionSet,
    role::RoleSet,
    tenant::TenantScope,
    user::User,
};

use crate::{AccessError, token::AccessClaims};

/// How far clocks of replicas may differ when the age of a proof is judged.
const LEEWAY: TimeDelta = TimeDelta::minutes(1);

/// A user and the roles held in the organization, as the server's own state has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// The organization, which need not be the user's home.
    pub org: OrgId,
    /// The roles held in it.
    pub roles: RoleSet,
}

/// Who calls: as the server's own state knows them now, when an `AuthService` has made it, and nothing in it comes from the token but
/// the key of the look-up; or as a verified token says, in a service without that state. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    who: Who,
    session: Option<SessionId>,
    proof: Option<Proof>,
    key: Option<Arc<KeyGrant>>,
}

/// The key with which a program calls, and what that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The key.
    pub id: ApiKeyId,
    /// What it may do, as far as its creator may.
    pub permissions: PermissionSet,
}

/// Where what is known of the caller comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// The issuer's own state.
    Member(Arc<Member>),
    /// A verified token, in a service without the issuer's database.
    Claims(Arc<Claimed>),
}

#[derive(Debug, PartialEq, Eq)]
struct Claimed {
    user: UserId,
    org: OrgId,
    roles: RoleSet,
}

/// When and how the holder of a session has proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Proof {
    at: DateTime<Utc>,
    methods: Methods,
    /// The time of the request that it is compared with.
    now: DateTime<Utc>,
}

impl Principal {
    /// A caller whose token, session, user and organization have been checked. Only an authenticator makes one.
    pub const fn new(member: Arc<Member>, session: Option<SessionId>) -> Self {
        Self { who: Who::Member(member), session, proof: None, key: None }
    }

    /// A program whose key and the person for whom it acts have been checked. It has no session, and has never proved who it
    /// is.
    pub const fn with_key(member: Arc<Member>, key: Arc<KeyGrant>) -> Self {
        Self { who: Who::Member(member), session: None, proof: None, key: Some(key) }
    }

    /// A caller of whom nothing is known but a token that a [`Verifier`](crate::token::Verifier) has accepted.
    pub fn claimed(claims: &AccessClaims) -> Self {
        let claimed = Claimed { user: claims.user, org: claims.org, roles: claims.roles.clone() };
        Self { who: Who::Claims(Arc::new(claimed)), session: claims.session, proof: None, key: None }
    }

    /// The same, whose session's holder has proved who they are then and in these ways, as seen now.
    #[must_use]
    pub const fn proved(mut self, at: DateTime<Utc>, methods: Methods, now: DateTime<Utc>) -> Self {
        self.proof = Some(Proof { at, methods, now });
        self
    }

    /// When the holder of the session last proved who they are; `None` for a token without a session.
    pub fn authenticated_at(&self) -> Option<DateTime<Utc>> {
        self.proof.map(|proof| proof.at)
    }

    /// How they did.
    pub fn methods(&self) -> Methods {
        self.proof.map(|proof| proof.methods).unwrap_or_default()
    }

    /// Refuses a caller who has not proved who they are within so many minutes; a token without a session never has.
    pub fn require_recent(&self, minutes: u32) -> Result<(), AccessError> {
        let recent = self.proof.is_some_and(|proof| {
            let age = proof.now.signed_duration_since(proof.at);
            // A proof of the future comes from a clock that was set back; how old it is nobody knows.
            (-LEEWAY..TimeDelta::minutes(minutes.into())).contains(&age)
        });
        if recent { Ok(()) } else { Err(self.step_up_required(minutes)) }
    }

    /// The same, and in this session more than one factor must have been shown: for what protects the factor itself.
    pub fn require_recent_factor(&self, minutes: u32) -> Result<(), AccessError> {
        self.require_recent(minutes)?;
        if self.methods().contains(Method::SeveralFactors) {
            return Ok(());
        }
        Err(self.step_up_required(minutes))
    }

    fn step_up_required(&self, minutes: u32) -> AccessError {
        let (user, org) = (self.user_id(), self.org_id());
        AccessError::StepUpRequired { user, org, max_age: minutes.saturating_mul(60) }
    }

    /// The user's profile; `None` where only the token is known.
    pub fn user(&self) -> Option<&User> {
        match &self.who {
            Who::Member(member) => Some(&member.user),
            Who::Claims(_) => None,
        }
    }

    /// The user's key.
    pub fn user_id(&self) -> UserId {
        match &self.who {
            Who::Member(member) => member.user.id,
            Who::Claims(claimed) => claimed.user,
        }
    }

    /// The organization the token is for.
    pub fn org_id(&self) -> OrgId {
        match &self.who {
            Who::Member(member) => member.org,
            Who::Claims(claimed) => claimed.org,
        }
    }

    /// The session the token belongs to; `None` for tokens that were not made by a log-in.
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The key with which a program calls for the user; `None` for people.
    pub fn api_key(&self) -> Option<ApiKeyId> {
        self.key.as_ref().map(|key| key.id)
    }

    /// The roles that the user holds in the organization; with a key not all that they grant is allowed.
    pub fn roles(&self) -> &RoleSet {
        match &self.who {
            Who::Member(member) => &member.roles,
            Who::Claims(claimed) => &claimed.roles,
        }
    }

    /// Whether any role grants the permission; of a program, whether its key has it as well. No key has the own account or
    /// the keys.
    pub fn may(&self, permission: Permission) -> bool {
        match &self.key {
            None => permission.granted_to(self.roles()),
            Some(key) => api_key::allows(&key.permissions, self.roles(), permission),
        }
    }

    /// The scope in which the caller's tenant can be reached.
    #[expect(clippy::disallowed_methods, reason = "a principal is what a verified scope is made from")]
    pub fn scope(&self) -> TenantScope {
        self.marked(TenantScope::assume_verified(self.org_id(), Some(self.user_id())))
    }

    /// The caller's home organization, which governs the account: password, second factor and their events are there,
    /// whatever organization the token is for. Where only the token is known, the token's.
    pub fn home_id(&self) -> OrgId {
        self.user().map_or_else(|| self.org_id(), |user| user.org)
    }

    /// The scope in which the caller's own account can be reached.
    #[expect(clippy::disallowed_methods, reason = "a principal is what a verified scope is made from")]
    pub fn account_scope(&self) -> TenantScope {
        self.marked(TenantScope::assume_verified(self.home_id(), Some(self.user_id())))
    }

    /// What is recorded in the scope says with which key it was done.
    fn marked(&self, scope: TenantScope) -> TenantScope {
        self.api_key().map_or(scope, |key| scope.by_key(key))
    }
}
