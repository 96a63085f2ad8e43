//! The verified caller: the source of every tenant scope.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    method::{Method, Methods},
    permission::Permission,
    role::RoleSet,
    tenant::TenantScope,
    user::User,
};

use crate::AccessError;

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

/// Who calls, as the server's own state knows them now. Nothing in it comes from the token but the key of the look-up.
/// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    member: Arc<Member>,
    session: Option<SessionId>,
    proof: Option<Proof>,
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
        Self { member, session, proof: None }
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

    /// The user.
    pub fn user(&self) -> &User {
        &self.member.user
    }

    /// The user's key.
    pub fn user_id(&self) -> UserId {
        self.member.user.id
    }

    /// The organization the token is for.
    pub fn org_id(&self) -> OrgId {
        self.member.org
    }

    /// The session the token belongs to; `None` for tokens that were not made by a log-in.
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The roles held in the organization.
    pub fn roles(&self) -> &RoleSet {
        &self.member.roles
    }

    /// Whether any role grants the permission.
    pub fn may(&self, permission: Permission) -> bool {
        permission.granted_to(&self.member.roles)
    }

    /// The scope in which the caller's tenant can be reached.
    #[expect(clippy::disallowed_methods, reason = "a principal is what a verified scope is made from")]
    pub fn scope(&self) -> TenantScope {
        TenantScope::assume_verified(self.org_id(), Some(self.user_id()))
    }

    /// The caller's home organization, which governs the account: password, second factor and their events are there,
    /// whatever organization the token is for.
    pub fn home_id(&self) -> OrgId {
        self.member.user.org
    }

    /// The scope in which the caller's own account can be reached.
    #[expect(clippy::disallowed_methods, reason = "a principal is what a verified scope is made from")]
    pub fn account_scope(&self) -> TenantScope {
        TenantScope::assume_verified(self.home_id(), Some(self.user_id()))
    }
}
