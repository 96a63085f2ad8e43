//! An invitation into an organization: who may send one, and until when it is worth something.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    email::Email,
    ids::{InvitationId, OrgId, UserId},
    permission::Permission,
    role::{Role, RoleSet},
};

/// How long an invitation can be accepted, as its mail says.
pub const LIFETIME: TimeDelta = TimeDelta::days(7);

/// A row of `auth.invitations`, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Key.
    pub id: InvitationId,
    /// Where to.
    pub org: OrgId,
    /// Whom.
    pub email: Email,
    /// The roles that whoever accepts it gets there.
    pub roles: RoleSet,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
    /// Set once somebody has joined by it.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Set once it has been taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Who sent it last, and answers for it.
    pub invited_by: Option<UserId>,
    /// When it was first sent.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What has become of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationStatus {
    /// It waits to be accepted.
    Pending,
    /// Somebody has joined by it.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Its time is up.
    Expired,
}

impl InvitationStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Accepted, Self::Revoked, Self::Expired];

    /// The word that clients see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl Invitation {
    /// What has become of it by `now`.
    pub fn status(&self, now: DateTime<Utc>) -> InvitationStatus {
        if self.accepted_at.is_some() {
            InvitationStatus::Accepted
        } else if self.revoked_at.is_some() {
            InvitationStatus::Revoked
        } else if now < self.expires_at {
            InvitationStatus::Pending
        } else {
            InvitationStatus::Expired
        }
    }
}

/// Whether somebody with these roles may invite others into those. It is asked when the invitation is sent and again when
/// it is accepted: an invitation is worth no more than its sender's word is by then.
pub fn may_invite(sender: &RoleSet, granted: &RoleSet) -> bool {
    Permission::ManageInvitations.granted_to(sender) && (sender.contains(Role::Owner) || !granted.contains(Role::Owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(roles: &[Role]) -> RoleSet {
        roles.iter().copied().collect()
    }

    #[test]
    fn only_owners_invite_owners_and_only_owners_and_admins_invite_at_all() {
        let (staff, owner) = (set(&[Role::Admin, Role::Cashier]), set(&[Role::Owner, Role::Cashier]));
        assert!(may_invite(&set(&[Role::Owner]), &staff) && may_invite(&set(&[Role::Owner]), &owner));
        assert!(may_invite(&set(&[Role::Admin]), &staff) && !may_invite(&set(&[Role::Admin]), &owner));
        for roles in [set(&[]), set(&[Role::Cashier]), set(&[Role::Accountant])] {
            assert!(!may_invite(&roles, &staff), "{roles:?}");
        }
    }

    #[test]
    fn what_was_accepted_or_revoked_stays_so_and_the_rest_expires_on_the_instant() {
        let now = DateTime::from_timestamp(1_000, 0).unwrap();
        let pending = Invitation {
            id: InvitationId::new(1),
            org: OrgId::new(1),
            email: Email::stored("a@example.com".into()),
            roles: set(&[Role::Cashier]),
            expires_at: now,
            accepted_at: None,
            revoked_at: None,
            invited_by: None,
            created_at: now,
            updated_at: now,
        };
        assert_eq!(pending.status(now), InvitationStatus::Expired);
        assert_eq!(pending.status(now - TimeDelta::microseconds(1)), InvitationStatus::Pending);
        let revoked = Invitation { revoked_at: Some(now), ..pending.clone() };
        assert_eq!(revoked.status(now), InvitationStatus::Revoked);
        assert_eq!(Invitation { accepted_at: Some(now), ..pending }.status(now), InvitationStatus::Accepted);
    }
}
