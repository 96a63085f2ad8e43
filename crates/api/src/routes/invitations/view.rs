//! What the routes of invitations answer.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sme_pulse_auth::service::OpenInvitation;
use sme_pulse_domain::{
    ids::UserId,
    invitation::Invitation,
    organization::Place,
    role::{Role, RoleSet},
};
use utoipa::ToSchema;

use crate::routes::timestamp;

/// An invitation, for those who manage them.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationView {
    /// Key.
    id: i64,
    /// The invited address, in normal form.
    #[schema(example = "ann@example.com")]
    email: String,
    /// The roles that come with it, ordered by role id.
    #[schema(example = json!(["accountant"]))]
    roles: Vec<&'static str>,
    /// `pending`, `accepted`, `revoked` or `expired`.
    #[schema(example = "pending")]
    status: &'static str,
    /// When it is refused from.
    #[schema(format = DateTime, example = "2025-11-27T08:15:30.123456Z")]
    expires_at: String,
    /// The user who sent it last.
    invited_by: Option<i64>,
    /// When it was first sent.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    updated_at: String,
}

/// An invitation, for the holder of its link.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenInvitationView {
    /// The name of the organization that invites.
    #[schema(example = "SME Demo Company")]
    organization: String,
    /// The invited address, in normal form.
    #[schema(example = "ann@example.com")]
    email: String,
    /// The roles that come with it, ordered by role id.
    #[schema(example = json!(["accountant"]))]
    roles: Vec<&'static str>,
    /// When it is refused from.
    #[schema(format = DateTime, example = "2025-11-27T08:15:30.123456Z")]
    expires_at: String,
    /// Whether the address has an account: its owner signs in and joins, others choose a name and a password.
    has_account: bool,
}

impl InvitationView {
    pub(super) fn of(invitation: &Invitation, now: DateTime<Utc>) -> Self {
        Self {
            id: invitation.id.get(),
            status: invitation.status(now).as_str(),
            email: invitation.email.as_str().to_owned(),
            roles: codes(&invitation.roles),
            expires_at: timestamp(invitation.expires_at),
            invited_by: invitation.invited_by.map(UserId::get),
            created_at: timestamp(invitation.created_at),
            updated_at: timestamp(invitation.updated_at),
        }
    }

    /// One that has just been sent.
    pub(super) fn sent(invitation: &Invitation) -> Self {
        Self::of(invitation, invitation.updated_at)
    }
}

impl From<OpenInvitation> for OpenInvitationView {
    fn from(open: OpenInvitation) -> Self {
        Self {
            organization: open.organization,
            email: open.email.as_str().to_owned(),
            roles: codes(&open.roles),
            expires_at: timestamp(open.expires_at),
            has_account: open.has_account,
        }
    }
}

fn codes(roles: &RoleSet) -> Vec<&'static str> {
    roles.iter().map(Role::code).collect()
}

/// An organization as one of its people sees it among theirs.
#[derive(Serialize, ToSchema)]
pub(in crate::routes) struct PlaceView {
    /// Key.
    id: i64,
    /// Name of the company.
    #[schema(example = "SME Demo Company")]
    name: String,
    /// The roles the caller holds there, ordered by role id.
    #[schema(example = json!(["accountant"]))]
    roles: Vec<&'static str>,
    /// Whether it is the caller's home, which governs the account.
    is_home: bool,
    /// Whether it is the organization of the calling session.
    current: bool,
}

impl PlaceView {
    pub(in crate::routes) fn of(place: Place, current: bool) -> Self {
        let Place { org, name, roles, is_home } = place;
        Self { id: org.get(), name, roles: codes(&roles), is_home, current }
    }
}
