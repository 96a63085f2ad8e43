//! Who has forgotten their password: asking for a link, and preparing it after the answer.

use std::sync::Arc;

use chrono::Duration;
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    clock::Clock,
    email::Email,
    rng::Rng,
    tenant::TenantScope,
    user::User,
};
use sme_pulse_persistence::{NewResetToken, Store, StoreError, retrying};

use super::{
    AuthParts, AuthService,
    errands::{Errand, ErrandsFull, chain},
    guesses::{GuessBook, GuessError, GuessScope},
    mail_texts,
    one_time_token::{OneTimeToken, TokenKind},
};
use crate::mail::Mail;

/// How long a link works, as the mail says.
const LIFETIME: Duration = Duration::minutes(30);

/// Somebody has forgotten the password of this address, or says so.
#[derive(Debug, Clone)]
pub struct ResetRequest {
    /// The address.
    pub email: Email,
    /// The request and the client's address.
    pub origin: Origin,
}

impl AuthService {
    /// Notes the request. Whether anybody has the address shows neither in the result nor in its time: a mail leaves
    /// later, or none does.
    pub fn request_reset(&self, request: ResetRequest) -> Result<(), ErrandsFull> {
        self.errands.push(Errand::Reset(request))
    }
}

/// Prepares links.
pub(super) struct ResetDesk {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    public_url: String,
    guesses: GuessBook,
}

impl ResetDesk {
    pub(super) fn new(parts: &AuthParts, guesses: GuessBook) -> Self {
        Self {
            guesses,
            store: parts.store.clone(),
            clock: Arc::clone(&parts.clock),
            rng: Arc::clone(&parts.rng),
            public_url: parts.settings.public_url.clone(),
        }
    }

    /// The mail with the link, if an active user has the address. A failure is in the log; the person asks again.
    pub(super) async fn prepare(&self, request: ResetRequest) -> Option<Mail> {
        match self.link(&request).await {
            Ok(mail) => mail,
            Err(error) => {
                let request_id = request.origin.request_id.map(|id| id.to_string());
                let (email, error) = (request.email.masked().to_string(), chain(&error));
                tracing::error!(request_id, email, error, "A password reset could not be prepared");
                None
            }
        }
    }

    async fn link(&self, request: &ResetRequest) -> Result<Option<Mail>, StoreError> {
        let Some(account) = self.store.account_by_email(&request.email).await? else { return Ok(None) };
        let (token, user) = (OneTimeToken::new(TokenKind::PasswordReset, &*self.rng), account.user);
        // Each link voids the one before it. Whoever asks for the owner's links without end must not void the one that
        // the owner is about to open, nor fill the mailbox: the last mail sent then holds the link that works.
        match self.guesses.admit(GuessScope::ResetLink, &user.id.to_string(), None).await {
            Ok(_counted) => {}
            Err(GuessError::TooEarly(seconds)) => {
                let email = request.email.masked().to_string();
                tracing::warn!(email, seconds, "No further link yet: too many were asked for");
                return Ok(None);
            }
            Err(GuessError::Store(error)) => return Err(error),
        }
        let stored = retrying(|| self.store_token(&user, &token, &request.origin)).await?;
        Ok(stored.then(|| mail_texts::reset(&user, &self.public_url, token.text())))
    }

    /// `false` when user or organization is inactive.
    async fn store_token(&self, user: &User, token: &OneTimeToken, origin: &Origin) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let tx = self.store.begin(scope_of(user)).await?;
        if !tx.passwords().lock_active(user.id).await? {
            return Ok(false);
        }
        let expires_at = now.checked_add_signed(LIFETIME).unwrap_or(now);
        let new = NewResetToken { user: user.id, hash: token.hash(), created_at: now, expires_at };
        tx.passwords().replace_reset_token(&new).await?;
        let event = AuditEvent::about_user(Action::PasswordResetRequested, (user.id, user.org), origin);
        tx.record(event, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the request is about this user alone, and nothing of it is shown to anybody"
)]
const fn scope_of(user: &User) -> TenantScope {
    TenantScope::assume_verified(user.org, None)
}
