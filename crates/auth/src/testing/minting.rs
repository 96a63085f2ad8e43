//! A token of a test's wishes.

use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    role::{Role, RoleSet},
};
use uuid::Uuid;

use super::Issuer;
use crate::token::{NewToken, Signer, token_id};

/// A token that is being made.
#[derive(Clone)]
#[must_use]
pub struct Minting<'a> {
    issuer: &'a Issuer,
    signer: Option<Signer>,
    number: u64,
    position: u64,
    user: UserId,
    org: OrgId,
    session: SessionId,
    roles: RoleSet,
    lives: i64,
    methods: Methods,
}

impl<'a> Minting<'a> {
    pub(super) fn new(issuer: &'a Issuer, number: u64, position: u64) -> Self {
        Self {
            issuer,
            signer: None,
            number,
            position,
            user: UserId::new(1),
            org: OrgId::new(1),
            session: SessionId::new(Uuid::from_u128(number.into())),
            roles: [Role::Owner].into_iter().collect(),
            lives: 1_800,
            methods: Methods::default(),
        }
    }

    /// For this user.
    pub const fn user(mut self, id: i64) -> Self {
        self.user = UserId::new(id);
        self
    }

    /// In this organization.
    pub const fn org(mut self, id: i64) -> Self {
        self.org = OrgId::new(id);
        self
    }

    /// With these roles.
    pub fn roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// Of this session.
    pub const fn session(mut self, id: SessionId) -> Self {
        self.session = id;
        self
    }

    /// That lives so many seconds; a negative number makes one that has expired.
    pub const fn lives(mut self, seconds: i64) -> Self {
        self.lives = seconds;
        self
    }

    /// Made while the newest revocation known was this one.
    pub const fn position(mut self, seq: u64) -> Self {
        self.position = seq;
        self
    }

    /// Whose holder has proved who they are in these ways.
    pub const fn methods(mut self, methods: Methods) -> Self {
        self.methods = methods;
        self
    }

    /// Signed with this instead of the issuer's key.
    pub fn signed_by(mut self, signer: Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// The session it is of.
    pub const fn session_id(&self) -> SessionId {
        self.session
    }

    /// The signed token.
    pub fn mint(self) -> String {
        let now = self.issuer.clock().seconds();
        let mut random = [0; 16];
        random[8..].copy_from_slice(&self.number.to_be_bytes());
        let token = NewToken {
            user: self.user,
            org: self.org,
            session: self.session,
            roles: &self.roles,
            token_id: token_id(self.position, random),
            issued_at: now,
            expires_at: now.saturating_add(self.lives),
            methods: self.methods,
            authenticated_at: now,
        };
        let signer = self.signer.unwrap_or_else(|| self.issuer.signer());
        // Our own types always serialize, and the key has signed before.
        signer.sign(&token).unwrap_or_default()
    }
}
