//! What the holder of an invitation's link can do: look, become a user by it, or join with the account they have. The
//! link is used up by one conditional statement, in the transaction of what it is used for.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, Origin},
    email::Email,
    ids::{OrgId, UserId},
    invitation::{Invitation, may_invite},
    organization::Place,
    password_rules,
    person::{NewPerson, Person},
    role::RoleSet,
    session::EndReason,
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::{ShownInvitation, TenantTx, retrying};
use zeroize::Zeroizing;

use super::{InvitationError, manage::event};
use crate::{
    Principal,
    service::{
        AuthService,
        applicants::with_link,
        one_time_token::{OneTimeToken, TokenKind},
        profile,
    },
};

/// What the holder of a link may know before they use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    /// The name of the organization.
    pub organization: String,
    /// The invited address.
    pub email: Email,
    /// The roles that come with it.
    pub roles: RoleSet,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
    /// Whether the address has an account, whose owner joins instead.
    pub has_account: bool,
}

/// Somebody accepts an invitation and becomes a user. There is no `Debug`: it holds secrets.
pub struct AcceptInvitation {
    /// The token from the mail, as sent.
    pub token: Zeroizing<String>,
    /// Their name.
    pub full_name: String,
    /// Their password; its length has been checked.
    pub password: Zeroizing<String>,
    /// The request and the client's address.
    pub origin: Origin,
}

impl AuthService {
    /// What a link leads to. Nothing is used up.
    pub async fn open_invitation(&self, token: &str) -> Result<OpenInvitation, InvitationError> {
        let ShownInvitation { invitation, organization } = self.live_invitation(&hash_of(token)?).await?;
        let has_account = self.parts.store.account_by_email(&invitation.email).await?.is_some();
        let Invitation { email, roles, expires_at, .. } = invitation;
        Ok(OpenInvitation { organization, email, roles, expires_at, has_account })
    }

    /// Makes the holder of a link a user, at home in the organization that invites. The link works once, also when it is
    /// used several times at the same moment.
    pub async fn accept_invitation(&self, accept: AcceptInvitation) -> Result<Person, InvitationError> {
        let AcceptInvitation { token, full_name, password, origin } = accept;
        let token = hash_of(&token)?;
        // Only a look, so that rubbish costs no hash; what counts is asked in the transaction.
        let ShownInvitation { invitation, .. } = self.live_invitation(&token).await?;
        if self.parts.store.account_by_email(&invitation.email).await?.is_some() {
            // Unless somebody has just become one by this very link.
            self.live_invitation(&token).await?;
            return Err(InvitationError::HasAccount);
        }
        password_rules::check_names(&password, &invitation.email, Some(&full_name))?;
        let password_hash = self.parts.passwords.hash(with_link(&origin), password).await?;
        retrying(|| async {
            let at = self.parts.clock.now();
            let tx = self.parts.store.begin(scope_of(invitation.org, None)).await?;
            let (claimed, _) = claim(&tx, &token, at).await?;
            let new = NewPerson {
                email: claimed.email.clone(),
                password_hash: password_hash.clone(),
                full_name: Some(full_name.clone()),
                status: Status::Active,
                roles: claimed.roles.clone(),
            };
            let user = tx.people().create(&new, at).await?;
            note_joined(&tx, user, &claimed, &origin, at).await?;
            tx.commit().await?;
            Ok(new.stored_as(user, claimed.org, at))
        })
        .await
    }

    /// Makes the caller, whose address was invited, a member of the organization that invites, with the roles of the
    /// invitation alone.
    pub async fn join_organization(
        &self,
        caller: &Principal,
        token: &str,
        origin: &Origin,
    ) -> Result<Place, InvitationError> {
        let (token, user) = (hash_of(token)?, caller.user_id());
        let ShownInvitation { invitation, .. } = self.live_invitation(&token).await?;
        if invitation.email != profile(caller)?.email {
            return Err(InvitationError::InvalidLink);
        }
        let place = retrying(|| async {
            let now = self.parts.clock.now();
            let tx = self.parts.store.begin(scope_of(invitation.org, Some(user))).await?;
            let (claimed, name) = claim(&tx, &token, now).await?;
            if tx.newcomers().belongs(user).await? {
                return Err(InvitationError::AlreadyMember);
            }
            // Whoever was a member before comes back without what they left open then.
            tx.sessions().end_all_here(user, EndReason::EndedWithOthers, now).await?;
            tx.newcomers().join(user, now).await?;
            tx.people().set_roles(user, &claimed.roles, now).await?;
            note_joined(&tx, user, &claimed, origin, now).await?;
            tx.commit().await?;
            Ok(Place { org: claimed.org, name, roles: claimed.roles, is_home: false })
        })
        .await?;
        self.changed(user);
        Ok(place)
    }

    /// The invitation of a live link into an active organization, whose sender could still send it.
    async fn live_invitation(&self, token_hash: &str) -> Result<ShownInvitation, InvitationError> {
        let found = self.parts.store.invitation_by_token(token_hash, self.parts.clock.now()).await?;
        let shown = found.ok_or(InvitationError::InvalidLink)?;
        let tx = self.parts.store.begin_read(scope_of(shown.invitation.org, None)).await?;
        if stands(&tx, &shown.invitation).await? { Ok(shown) } else { Err(InvitationError::InvalidLink) }
    }
}

/// Uses the link up, and says what it leads to and the organization's name. Roles are changed behind the same lock, so the sender
/// still is what they are found to be at the commit.
async fn claim(tx: &TenantTx, token_hash: &str, now: DateTime<Utc>) -> Result<(Invitation, String), InvitationError> {
    let sheet = tx.organization().find_for_update().await?.filter(|sheet| sheet.status.is_active());
    let sheet = sheet.ok_or(InvitationError::InvalidLink)?;
    let claimed = tx.invitations().use_up(token_hash, now).await?.ok_or(InvitationError::InvalidLink)?;
    if stands(tx, &claimed).await? { Ok((claimed, sheet.name)) } else { Err(InvitationError::InvalidLink) }
}

/// Whether its sender could send it now.
async fn stands(tx: &TenantTx, invitation: &Invitation) -> Result<bool, InvitationError> {
    let Some(sender) = invitation.invited_by else { return Ok(false) };
    Ok(tx.newcomers().roles_of(sender).await?.is_some_and(|held| may_invite(&held, &invitation.roles)))
}

/// Notes who has come by the link, at the invitation and in the audit trail.
async fn note_joined(
    tx: &TenantTx,
    user: UserId,
    claimed: &Invitation,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<(), InvitationError> {
    tx.invitations().accepted_by(claimed.id, user).await?;
    Ok(tx.record(event(Action::InvitationAccepted, claimed, user, origin), now).await?)
}

fn hash_of(token: &str) -> Result<String, InvitationError> {
    Ok(OneTimeToken::parse(TokenKind::Invitation, token).ok_or(InvitationError::InvalidLink)?.hash())
}

#[expect(clippy::disallowed_methods, reason = "whoever has the token is invited into this organization")]
const fn scope_of(org: OrgId, user: Option<UserId>) -> TenantScope {
    TenantScope::assume_verified(org, user)
}
