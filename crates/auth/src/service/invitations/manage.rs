//! Sending invitations, and sending them again, seeing them and taking them back: for owners and admins (the guard sees
//! to that). Changes queue up behind the organization's row, so that parallel ones see each other.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    email::Email,
    ids::{InvitationId, UserId},
    invitation::{self, Invitation, InvitationStatus, may_invite},
    role::RoleSet,
};
use sme_pulse_persistence::{InvitationFilter, NewInvitation, Renewal, StoreError, TenantTx, retrying};

use super::InvitationError;
use crate::{
    AccessError, Principal,
    service::{
        AuthService,
        guesses::{GuessError, GuessScope},
        mail_texts,
        one_time_token::{OneTimeToken, TokenKind},
    },
};

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The address.
    pub email: Email,
    /// The roles they will have.
    pub roles: RoleSet,
    /// The request and the client's address.
    pub origin: Origin,
}

/// The details of its events that tell about a person.
const PERSONAL: &[&str] = &["email"];

impl AuthService {
    /// The invitations of the caller's organization that match: how many, and a part of them, newest first; and the time
    /// that tells what has become of each.
    pub async fn invitations(
        &self,
        caller: &Principal,
        filter: &InvitationFilter,
        part: (u64, u64),
    ) -> Result<((u64, Vec<Invitation>), DateTime<Utc>), StoreError> {
        let now = self.parts.clock.now();
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        Ok((tx.invitations().list(filter, part, now).await?, now))
    }

    /// Invites somebody into the caller's organization; a mail with a link leaves after the commit.
    pub async fn invite(&self, caller: &Principal, invite: &Invite) -> Result<Invitation, InvitationError> {
        let token = OneTimeToken::new(TokenKind::Invitation, &*self.parts.rng);
        let hash = token.hash();
        let known = self.owner_of(&invite.email).await?;
        let store = Box::pin(retrying(|| self.store_invitation(caller, (invite, known), &hash)));
        let (sent, organization) = self.one_more_mail(caller, &invite.email, store).await?;
        self.mail(caller, &sent, &organization, &token);
        Ok(sent)
    }

    /// Sends an invitation again: another link for as long as a new one, in place of the one before. From now on it is the
    /// caller who answers for it.
    pub async fn resend_invitation(
        &self,
        caller: &Principal,
        id: InvitationId,
        origin: &Origin,
    ) -> Result<Invitation, InvitationError> {
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        let email = tx.invitations().find(id).await?.ok_or(InvitationError::NotFound)?.email;
        drop(tx);
        let token = OneTimeToken::new(TokenKind::Invitation, &*self.parts.rng);
        let hash = token.hash();
        let known = self.owner_of(&email).await?;
        let renew = Box::pin(retrying(|| self.renew_invitation(caller, (id, known), &hash, origin)));
        let (sent, organization) = self.one_more_mail(caller, &email, renew).await?;
        self.mail(caller, &sent, &organization, &token);
        Ok(sent)
    }

    /// Takes an invitation back; its link opens nothing any more. Repeatable.
    pub async fn revoke_invitation(
        &self,
        caller: &Principal,
        id: InvitationId,
        origin: &Origin,
    ) -> Result<(), InvitationError> {
        let now = self.parts.clock.now();
        retrying(|| async {
            let tx = self.parts.store.begin(caller.scope()).await?;
            let found = tx.invitations().find_for_update(id).await?.ok_or(InvitationError::NotFound)?;
            match found.status(now) {
                InvitationStatus::Accepted => return Err(InvitationError::Accepted),
                InvitationStatus::Revoked => return Ok(()),
                InvitationStatus::Pending | InvitationStatus::Expired => {}
            }
            tx.invitations().revoke(id, now).await?;
            tx.record(event(Action::InvitationRevoked, &found, caller.user_id(), origin), now).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// Counts a mail of the caller's organization to this address before it is prepared, or refuses it. One that comes to
    /// nothing does not count.
    async fn one_more_mail<T>(
        &self,
        caller: &Principal,
        email: &Email,
        prepare: impl Future<Output = Result<T, InvitationError>>,
    ) -> Result<T, InvitationError> {
        let scopes = (GuessScope::InvitationLink, GuessScope::InvitationMailbox);
        let admitted = self.guesses.admit_mail(scopes, &caller.org_id().get().to_string(), email).await;
        let counted = admitted.map_err(|error| match error {
            GuessError::TooEarly(seconds) => InvitationError::Flooded { email: email.clone(), seconds },
            GuessError::Store(cause) => cause.into(),
        })?;
        let prepared = prepare.await;
        if prepared.is_err() {
            self.guesses.unsent(&counted).await?;
        }
        prepared
    }

    async fn store_invitation(
        &self,
        caller: &Principal,
        (invite, known): (&Invite, Option<UserId>),
        token_hash: &str,
    ) -> Result<(Invitation, String), InvitationError> {
        let Invite { email, roles, origin } = invite;
        let tx = self.parts.store.begin(caller.scope()).await?;
        let sheet = tx.organization().find_for_update().await?.ok_or(InvitationError::NotFound)?;
        let renewal = self.renewal(caller, token_hash);
        self.check(&tx, caller, (email, known), (None, roles), renewal.at).await?;
        let sent = tx.invitations().add(&NewInvitation { email, roles, renewal }).await?;
        tx.record(event(Action::InvitationSent, &sent, caller.user_id(), origin), renewal.at).await?;
        tx.commit().await?;
        Ok((sent, sheet.name))
    }

    async fn renew_invitation(
        &self,
        caller: &Principal,
        (id, known): (InvitationId, Option<UserId>),
        token_hash: &str,
        origin: &Origin,
    ) -> Result<(Invitation, String), InvitationError> {
        let tx = self.parts.store.begin(caller.scope()).await?;
        let sheet = tx.organization().find_for_update().await?.ok_or(InvitationError::NotFound)?;
        let renewal = self.renewal(caller, token_hash);
        let found = tx.invitations().find_for_update(id).await?.ok_or(InvitationError::NotFound)?;
        match found.status(renewal.at) {
            InvitationStatus::Accepted => return Err(InvitationError::Accepted),
            InvitationStatus::Revoked => return Err(InvitationError::Revoked),
            InvitationStatus::Pending | InvitationStatus::Expired => {}
        }
        self.check(&tx, caller, (&found.email, known), (Some(id), &found.roles), renewal.at).await?;
        tx.invitations().renew(id, renewal).await?;
        let sent = tx.invitations().find(id).await?.ok_or(InvitationError::NotFound)?;
        tx.record(event(Action::InvitationResent, &sent, caller.user_id(), origin), renewal.at).await?;
        tx.commit().await?;
        Ok((sent, sheet.name))
    }

    fn renewal<'a>(&self, caller: &Principal, token_hash: &'a str) -> Renewal<'a> {
        let at = self.parts.clock.now();
        let expires_at = at.checked_add_signed(invitation::LIFETIME).unwrap_or(at);
        Renewal { token_hash, by: caller.user_id(), at, expires_at }
    }

    /// Who has the account of this address, in whatever organization they are at home.
    async fn owner_of(&self, email: &Email) -> Result<Option<UserId>, StoreError> {
        Ok(self.parts.store.account_by_email(email).await?.map(|account| account.user.id))
    }

    /// Whether the caller may invite this address into these roles, as things are in the transaction; not counting the
    /// invitation that is to be sent again.
    async fn check(
        &self,
        tx: &TenantTx,
        caller: &Principal,
        (email, known): (&Email, Option<UserId>),
        (again, roles): (Option<InvitationId>, &RoleSet),
        now: DateTime<Utc>,
    ) -> Result<(), InvitationError> {
        let held = tx.newcomers().roles_of(caller.user_id()).await?;
        if !held.is_some_and(|held| may_invite(&held, roles)) {
            return Err(AccessError::Forbidden { user: caller.user_id(), org: caller.org_id() }.into());
        }
        if let Some(user) = known
            && tx.newcomers().belongs(user).await?
        {
            return Err(InvitationError::AlreadyMember);
        }
        if tx.invitations().is_pending(email, again, now).await? {
            return Err(InvitationError::AlreadyInvited);
        }
        Ok(())
    }

    fn mail(&self, caller: &Principal, sent: &Invitation, organization: &str, token: &OneTimeToken) {
        let Some(user) = caller.user() else { return };
        let from = (organization, &user.email);
        let link = (self.parts.settings.public_url.as_str(), token.text());
        self.errands.notify(mail_texts::invitation(&sent.email, from, link, sent.expires_at));
    }
}

/// What the trail says of an invitation.
pub(super) fn event(action: Action, invitation: &Invitation, actor: UserId, origin: &Origin) -> AuditEvent {
    let details = [("email", invitation.email.as_str().to_owned()), ("roles", invitation.roles.codes())];
    let event = AuditEvent::new(action, Some(invitation.org), origin.clone());
    AuditEvent {
        actor: Some(actor),
        entity: Some("invitations"),
        entity_id: Some(invitation.id.get()),
        after: Some(Details::from(details.map(|(name, value)| (name.to_owned(), Some(value))))),
        personal: PERSONAL,
        ..event
    }
}
