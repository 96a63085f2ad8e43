//! Log-in: look-up, password, status, session, token, in this order.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    email::Email,
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    session::Session,
    tenant::TenantScope,
    text,
    user::{Account, User},
};
use sme_pulse_persistence::{LogInRecord, PasswordAsOf, RenewedHash, StoreError, retrying};

use tracing::Instrument as _;
use zeroize::Zeroizing;

use super::{
    AuthService, Position, SignedIn,
    device::ShownOn,
    factor::{PendingLogIn, has_factor},
    guesses::{Guess, GuessError, GuessScope},
    places::land,
};
use crate::{
    password::{Applicant, Overloaded, Verdict},
    token::SigningError,
};

/// An attempt to sign in. There is no `Debug`: it holds a password.
pub struct LogIn {
    /// The log-in name.
    pub email: Email,
    /// The password as sent; wiped from memory when dropped.
    pub password: Zeroizing<String>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// The device token that the client presents; anything else than a genuine one counts as none.
    pub device: Option<String>,
    /// The request and the client's address.
    pub origin: Origin,
}

/// How a log-in with the right password ended.
#[derive(Clone)]
pub enum LogInOutcome {
    /// The user is signed in.
    SignedIn(SignedIn),
    /// The user has a second factor, whose code is still to come.
    FactorNeeded(PendingLogIn),
}

/// Which check refused. For the log only: clients see one answer for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has this address.
    UnknownEmail,
    /// The password is wrong.
    WrongPassword(UserId),
    /// The stored hash cannot be read; somebody has to repair it.
    UnreadableHash(UserId),
    /// The password was right, the user is inactive.
    InactiveUser(UserId),
    /// The password was right, the organization is suspended and there is no other.
    SuspendedOrganization(UserId),
}

/// Why a log-in failed.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// The credentials are refused; the reason is for the log.
    #[error("log-in refused")]
    Refused {
        /// Which check refused.
        refusal: Refusal,
        /// The address, which the log shows masked.
        email: Email,
    },
    /// So many log-ins at this address have failed that the next must wait; nothing was checked.
    #[error("log-in slowed down")]
    Slowed {
        /// Whole seconds to wait.
        seconds: u64,
        /// The address, which the log shows masked.
        email: Email,
    },
    /// Too many log-ins at once.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl AuthService {
    /// Signs a user in and opens a session for this device.
    pub async fn log_in(&self, attempt: LogIn) -> Result<LogInOutcome, LogInError> {
        let outcome = self.try_log_in(attempt).await;
        self.counts.log_in(&outcome);
        outcome
    }

    async fn try_log_in(&self, attempt: LogIn) -> Result<LogInOutcome, LogInError> {
        // In a storm most are told here that there is no place, before anything is read.
        self.parts.passwords.has_room(self.newcomer(attempt.device.as_deref(), &attempt.origin))?;
        let position = self.position().await;
        let account = self.parts.store.account_by_email(&attempt.email).await?;
        let (applicant, guess) = self.admit_password(account.as_ref(), &attempt).await?;
        let verdict = self.verify(applicant, account.as_ref(), &attempt, &guess).await?;
        let Some(account) = account else {
            return self.refuse(Refusal::UnknownEmail, None, &attempt, Some(&guess)).await;
        };
        match judge(&account, verdict) {
            Ok(outdated) => {
                let home = (account.org_status, &account.roles);
                let Some((org, roles)) = self.landing(&account.user, home).await? else {
                    let refusal = Refusal::SuspendedOrganization(account.user.id);
                    return self.refuse(refusal, Some(&account.user), &attempt, Some(&guess)).await;
                };
                self.guesses.right(&guess).await?;
                let renewed = if outdated { self.renewed(applicant, &account, &attempt).await } else { None };
                if account.has_factor {
                    let user = account.user.clone();
                    if let Some(pending) = self.await_code(account, renewed, &attempt.origin).await? {
                        return Ok(LogInOutcome::FactorNeeded(pending));
                    }
                    return self.refuse(Refusal::WrongPassword(user.id), Some(&user), &attempt, None).await;
                }
                let account = Account { roles, ..account };
                self.open_session(position, (account, org), renewed, &attempt).await.map(LogInOutcome::SignedIn)
            }
            Err(refusal) => self.refuse(refusal, Some(&account.user), &attempt, Some(&guess)).await,
        }
    }

    /// Before any hash is computed, and for an address that nobody has just the same. A full queue is told first: no
    /// guess can be checked then, so nothing is written either.
    async fn admit_password(
        &self,
        account: Option<&Account>,
        attempt: &LogIn,
    ) -> Result<(Applicant, Guess), LogInError> {
        let device = account.and_then(|account| {
            self.device_of(account.user.id, account.password_changed_at, attempt.device.as_deref())
        });
        let org = account.map(|account| account.user.org);
        let applicant = self.at_the_door(&attempt.email, org, device, &attempt.origin);
        self.parts.passwords.has_room(applicant)?;
        let admitted = self.guesses.admit(GuessScope::Password, attempt.email.as_str(), device).await;
        let guess = admitted.map_err(|error| match error {
            GuessError::TooEarly(seconds) => LogInError::Slowed { seconds, email: attempt.email.clone() },
            GuessError::Store(cause) => cause.into(),
        })?;
        Ok((applicant, guess))
    }

    async fn verify(
        &self,
        applicant: Applicant,
        account: Option<&Account>,
        attempt: &LogIn,
        guess: &Guess,
    ) -> Result<Verdict, LogInError> {
        let stored = account.map(|account| account.password_hash.clone());
        let verifying = self.parts.passwords.verify(applicant, attempt.password.clone(), stored);
        match verifying.instrument(tracing::info_span!("password.verify")).await {
            Ok(verdict) => Ok(verdict),
            Err(overloaded) => {
                self.guesses.unchecked(guess).await?;
                Err(overloaded.into())
            }
        }
    }

    async fn refuse<T>(
        &self,
        refusal: Refusal,
        user: Option<&User>,
        attempt: &LogIn,
        guess: Option<&Guess>,
    ) -> Result<T, LogInError> {
        let slowing = guess.and_then(|guess| guess.slowing(user, &attempt.origin));
        self.record_refusal(user, attempt, slowing).await?;
        Err(LogInError::Refused { refusal, email: attempt.email.clone() })
    }

    /// A hash at today's cost. Only after the status was checked, because the extra work shows; and when the pool is
    /// full the next log-in will do.
    async fn renewed(&self, applicant: Applicant, account: &Account, attempt: &LogIn) -> Option<RenewedHash> {
        let new = self.parts.passwords.hash(applicant, attempt.password.clone()).await.ok()?;
        Some(RenewedHash { old: account.password_hash.clone(), new })
    }

    /// For that organization, in which the account's roles are held.
    async fn open_session(
        &self,
        position: Position,
        (account, org): (Account, OrgId),
        renewed: Option<RenewedHash>,
        attempt: &LogIn,
    ) -> Result<SignedIn, LogInError> {
        let now = self.parts.clock.now();
        let arrival = Arrival { user_agent: attempt.user_agent.as_deref(), origin: &attempt.origin, at: now };
        let session = self.new_session((account.user.id, org), &arrival, Methods::PASSWORD);
        let mut done = self.issue(position, (account.user, account.roles), (&session, 0), now)?;
        done.device_token = Some(self.remembered(done.user.id, ShownOn::Password, attempt.device.as_deref()));
        let record = || LogInRecord {
            user: done.user.id,
            at: now,
            password: PasswordAsOf::Exactly(account.password_changed_at),
            renewed: renewed.clone(),
        };
        if retrying(|| self.store_session(&done.user, &session, record(), &arrival)).await? {
            return Ok(done);
        }
        // The password was right a moment ago, so the guess stays taken back. Or a second factor has been confirmed since;
        // the next attempt is asked for it.
        self.refuse(Refusal::WrongPassword(done.user.id), Some(&done.user), attempt, None).await
    }

    pub(super) fn new_session(&self, (user, org): (UserId, OrgId), arrival: &Arrival<'_>, methods: Methods) -> Session {
        Session {
            id: SessionId::new(self.parts.rng.uuid()),
            user,
            org,
            created_at: arrival.at,
            expires_at: self.session_end(arrival.at, arrival.at),
            last_seen_at: Some(arrival.at),
            client_ip: arrival.origin.client_ip.clone(),
            user_agent: arrival.user_agent.map(|agent| text::cut(agent, text::USER_AGENT).to_owned()),
            revoked_at: None,
            authenticated_at: arrival.at,
            methods,
        }
    }

    /// `false` when the password was changed after it had been compared.
    async fn store_session(
        &self,
        user: &User,
        session: &Session,
        record: LogInRecord,
        arrival: &Arrival<'_>,
    ) -> Result<bool, StoreError> {
        let tx = self.parts.store.begin(scope_of(user)).await?;
        // First, because it waits for a change of the password that is under way.
        if !tx.sessions().record_log_in(record).await? || has_factor(&tx, user.id).await? {
            return Ok(false);
        }
        land(tx, user, session, arrival.origin, arrival.at).await?;
        Ok(true)
    }

    /// In the trail of the user's organization, or outside any when nobody has the address.
    async fn record_refusal(
        &self,
        user: Option<&User>,
        attempt: &LogIn,
        slowing: Option<AuditEvent>,
    ) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let event = match user {
            Some(user) => AuditEvent::about_user(Action::LogInFailed, (user.id, user.org), &attempt.origin),
            None => AuditEvent::new(Action::LogInFailed, None, attempt.origin.clone()),
        };
        retrying(|| async {
            let tx = self.parts.store.begin_system().await?;
            tx.record(event.clone(), now).await?;
            if let Some(slowing) = slowing.clone() {
                tx.record(slowing, now).await?;
            }
            tx.commit().await
        })
        .await
    }
}

/// The request with which somebody arrives who is let in.
pub(super) struct Arrival<'a> {
    pub(super) user_agent: Option<&'a str>,
    pub(super) origin: &'a Origin,
    pub(super) at: DateTime<Utc>,
}

/// Whether the stored hash is outdated. Status counts only after the password was right, so that it tells nothing to
/// those who do not know it.
fn judge(account: &Account, verdict: Verdict) -> Result<bool, Refusal> {
    let id = account.user.id;
    match verdict {
        Verdict::Mismatch => Err(Refusal::WrongPassword(id)),
        Verdict::Unreadable => Err(Refusal::UnreadableHash(id)),
        Verdict::Match { .. } if !account.user.status.is_active() => Err(Refusal::InactiveUser(id)),
        Verdict::Match { outdated } => Ok(outdated),
    }
}

#[expect(clippy::disallowed_methods, reason = "the password has just been verified")]
pub(super) const fn scope_of(user: &User) -> TenantScope {
    TenantScope::assume_verified(user.org, Some(user.id))
}
