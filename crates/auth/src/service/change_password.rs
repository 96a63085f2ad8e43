//! Changing the own password.

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    password_rules,
    session::EndReason,
};
use sme_pulse_persistence::{NewHash, StoreError, retrying};
use zeroize::Zeroizing;

use super::{
    AuthService, PasswordError, RECENT_MINUTES,
    applicants::signed_in,
    guesses::{Guess, GuessError, GuessScope},
    mail_texts, profile,
};
use crate::{Principal, password::Verdict};

/// How often a change begins anew because the stored hash was replaced meanwhile: by another change, after which the
/// old password is wrong, or by a log-in that renewed the hash of the same password.
const ATTEMPTS: u32 = 3;

/// A change of the own password. There is no `Debug`: it holds passwords.
pub struct ChangePassword {
    /// The password so far, as sent.
    pub old: Zeroizing<String>,
    /// The new one; its length has been checked.
    pub new: Zeroizing<String>,
    /// The request and the client's address.
    pub origin: Origin,
}

impl AuthService {
    /// Changes the caller's password. All their other sessions end with it, and open links to reset it; the calling
    /// session stays.
    pub async fn change_password(&self, caller: &Principal, change: ChangePassword) -> Result<(), PasswordError> {
        // The old password is a proof by itself; an account with a second factor asks for that as well.
        self.require_recent_if_factor(caller, RECENT_MINUTES).await?;
        password_rules::check_personal(&change.new, profile(caller)?)?;
        let mut hash = None;
        for _ in 0..ATTEMPTS {
            let compared = self.prove(caller, &change).await?;
            let new = match hash.take() {
                Some(hash) => hash,
                None => self.parts.passwords.hash(signed_in(caller, &change.origin), change.new.clone()).await?,
            };
            if retrying(|| self.store_change(caller, (&compared, &new), &change.origin)).await? {
                self.changed(caller.user_id());
                self.errands.notify(mail_texts::changed(profile(caller)?));
                return Ok(());
            }
            hash = Some(new);
        }
        Err(PasswordError::Overtaken)
    }

    /// The stored hash, once the old password has matched it. Counted like every guess at it.
    async fn prove(&self, caller: &Principal, change: &ChangePassword) -> Result<String, PasswordError> {
        let device = caller.session().map(|session| session.get().into_bytes());
        let subject = caller.user_id().to_string();
        let guess =
            self.guesses.admit(GuessScope::OwnPassword, &subject, device).await.map_err(|error| match error {
                GuessError::TooEarly(seconds) => PasswordError::Slowed { user: caller.user_id(), seconds },
                GuessError::Store(cause) => cause.into(),
            })?;
        let compared = self.compare(caller, change.old.clone(), &change.origin).await;
        match &compared {
            Ok(_) => self.guesses.right(&guess).await?,
            Err(PasswordError::WrongPassword | PasswordError::UnreadableHash(_)) => {
                self.record_wrong_password(caller, &guess, &change.origin).await?;
            }
            Err(_) => self.guesses.unchecked(&guess).await?,
        }
        compared
    }

    async fn record_wrong_password(
        &self,
        caller: &Principal,
        guess: &Guess,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        self.record_apart(AuditEvent::by_user(Action::PasswordRefused, (caller.user_id(), caller.home_id()), origin))
            .await?;
        match guess.slowing(Some(profile(caller)?), origin) {
            Some(event) => self.record_apart(event).await,
            None => Ok(()),
        }
    }

    async fn compare(
        &self,
        caller: &Principal,
        password: Zeroizing<String>,
        origin: &Origin,
    ) -> Result<String, PasswordError> {
        let tx = self.parts.store.begin_read(caller.account_scope()).await?;
        let stored = tx.passwords().find(caller.user_id()).await?;
        // The connection must not wait for the hash.
        drop(tx);
        let verdict = self.parts.passwords.verify(signed_in(caller, origin), password, stored.clone()).await;
        let verdict = verdict.map_err(crate::password::HashError::from)?;
        match (verdict, stored) {
            (Verdict::Match { .. }, Some(stored)) => Ok(stored),
            (Verdict::Unreadable, _) => Err(PasswordError::UnreadableHash(caller.user_id())),
            _ => Err(PasswordError::WrongPassword),
        }
    }

    /// `false` when another hash is stored than the one that was compared.
    async fn store_change(
        &self,
        caller: &Principal,
        (compared, new): (&str, &str),
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let (user, now) = (caller.user_id(), self.parts.clock.now());
        let tx = self.parts.store.begin(caller.account_scope()).await?;
        let new = NewHash { user, hash: new.to_owned(), at: now };
        if !tx.passwords().set(&new, Some(compared)).await? {
            return Ok(false);
        }
        tx.passwords().void_reset_tokens(user).await?;
        tx.challenges().remove_of(user).await?;
        let ended = tx.sessions().end_all_but((caller.session(), user), EndReason::PasswordChanged, now).await?;
        let mut event = AuditEvent::by_user(Action::PasswordChanged, (user, caller.home_id()), origin);
        event.after = Some(Details::from([("sessions_ended".to_owned(), Some(ended.here.to_string()))]));
        tx.record(event, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}
