//! Setting a forgotten password anew with the token from a mail.

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    password_rules,
    session::EndReason,
    tenant::TenantScope,
    user::{Account, User},
};
use sme_pulse_persistence::{NewHash, StoreError, retrying};
use zeroize::Zeroizing;

use super::{
    AuthService, PasswordError,
    applicants::with_link,
    mail_texts,
    one_time_token::{OneTimeToken, TokenKind},
};

/// A new password for whoever has the token. There is no `Debug`: it holds secrets.
pub struct ResetPassword {
    /// The token from the mail, as sent.
    pub token: Zeroizing<String>,
    /// The new password; its length has been checked.
    pub new: Zeroizing<String>,
    /// The request and the client's address.
    pub origin: Origin,
}

impl AuthService {
    /// Sets the password of the user whom the token was sent to, and returns who it is. All their sessions end. The
    /// token works once, also when it is used several times at the same moment.
    pub async fn reset_password(&self, reset: ResetPassword) -> Result<User, PasswordError> {
        let token =
            OneTimeToken::parse(TokenKind::PasswordReset, &reset.token).ok_or(PasswordError::InvalidResetToken)?.hash();
        // Only a look, so that rubbish costs no hash; what counts is asked in the transaction.
        let user = self.user_of_reset_token(&token).await?.ok_or(PasswordError::InvalidResetToken)?;
        password_rules::check_personal(&reset.new, &user)?;
        let hash = self.parts.passwords.hash(with_link(&reset.origin), reset.new).await?;
        if !retrying(|| self.store_reset(&user, (&token, &hash), &reset.origin)).await? {
            return Err(PasswordError::InvalidResetToken);
        }
        self.changed(user.id);
        self.errands.notify(mail_texts::changed(&user));
        Ok(user)
    }

    async fn user_of_reset_token(&self, token: &str) -> Result<Option<User>, StoreError> {
        let store = &self.parts.store;
        let Some(email) = store.email_of_reset_token(token, self.parts.clock.now()).await? else { return Ok(None) };
        let account = store.account_by_email(&email).await?;
        let active = |account: &Account| account.user.status.is_active() && account.org_status.is_active();
        Ok(account.filter(active).map(|account| account.user))
    }

    /// `false` when the token has been used or has expired meanwhile, or the user may no longer sign in.
    async fn store_reset(&self, user: &User, (token, hash): (&str, &str), origin: &Origin) -> Result<bool, StoreError> {
        let now = self.parts.clock.now();
        let tx = self.parts.store.begin(scope_of(user)).await?;
        let passwords = tx.passwords();
        if !passwords.lock_active(user.id).await? || !passwords.use_reset_token(user.id, token, now).await? {
            return Ok(false);
        }
        let new = NewHash { user: user.id, hash: hash.to_owned(), at: now };
        passwords.set(&new, None).await?;
        // Only who reads the mail at this address can have had the link.
        passwords.note_own(user.id).await?;
        tx.challenges().remove_of(user.id).await?;
        let ended = tx.sessions().end_all_but((None, user.id), EndReason::PasswordReset, now).await?;
        let mut event = AuditEvent::by_user(Action::PasswordReset, (user.id, user.org), origin);
        event.after = Some(Details::from([("sessions_ended".to_owned(), Some(ended.here.to_string()))]));
        tx.record(event, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever has the token is this user")]
const fn scope_of(user: &User) -> TenantScope {
    TenantScope::assume_verified(user.org, Some(user.id))
}
