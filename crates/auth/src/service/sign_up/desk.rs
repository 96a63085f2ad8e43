//! What happens to a sign-up after its answer: a link for an address that is free, a notice for one that is not.

use std::sync::Arc;

use chrono::TimeDelta;
use sme_pulse_domain::{audit::Origin, clock::Clock, rng::Rng};
use sme_pulse_persistence::{SignUpRow, Store, StoreError, retrying};

use crate::{
    mail::Mail,
    service::{
        AuthParts,
        errands::chain,
        guesses::{GuessBook, GuessError, GuessScope},
        mail_texts,
        one_time_token::{OneTimeToken, TokenKind},
    },
};

/// How long a link works, as the mail says; what is not confirmed by then is removed.
const LIFETIME: TimeDelta = TimeDelta::days(3);

/// A sign-up that was answered. There is no `Debug`: it holds a hash.
pub(in crate::service) struct PendingSignUp {
    pub(super) row: SignUpRow,
    pub(super) origin: Origin,
}

/// Prepares links.
pub(in crate::service) struct SignUpDesk {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    public_url: String,
    guesses: GuessBook,
}

impl SignUpDesk {
    pub(in crate::service) fn new(parts: &AuthParts, guesses: GuessBook) -> Self {
        Self {
            guesses,
            store: parts.store.clone(),
            clock: Arc::clone(&parts.clock),
            rng: Arc::clone(&parts.rng),
            public_url: parts.settings.public_url.clone(),
        }
    }

    /// The mail to the address, unless it has had too many. A failure is in the log; the person signs up again.
    pub(in crate::service) async fn prepare(&self, sign_up: PendingSignUp) -> Option<Mail> {
        match self.mail(&sign_up.row).await {
            Ok(mail) => mail,
            Err(error) => {
                let request_id = sign_up.origin.request_id.map(|id| id.to_string());
                let (email, error) = (sign_up.row.email.masked().to_string(), chain(&error));
                tracing::error!(request_id, email, error, "A sign-up could not be prepared");
                None
            }
        }
    }

    async fn mail(&self, row: &SignUpRow) -> Result<Option<Mail>, StoreError> {
        match self.guesses.admit(GuessScope::SignUpLink, row.email.as_str(), None).await {
            Ok(_counted) => {}
            Err(GuessError::TooEarly(seconds)) => {
                let email = row.email.masked().to_string();
                tracing::warn!(email, seconds, "No further link yet: too many were asked for");
                return Ok(None);
            }
            Err(GuessError::Store(error)) => return Err(error),
        }
        if self.store.account_by_email(&row.email).await?.is_some() {
            return Ok(Some(mail_texts::has_account(&row.email, &self.public_url)));
        }
        let (token, now) = (OneTimeToken::new(TokenKind::SignUp, &*self.rng), self.clock.now());
        let times = (now, now.checked_add_signed(LIFETIME).unwrap_or(now));
        let hash = token.hash();
        retrying(|| self.store.keep_sign_up(row, &hash, times)).await?;
        Ok(Some(mail_texts::confirm_sign_up(&row.email, &self.public_url, token.text())))
    }
}
