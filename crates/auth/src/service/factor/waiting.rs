//! A log-in between its two halves: the password was right, the code is still to come. Nothing is open yet.

use chrono::{DateTime, Duration, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    ids::OrgId,
    method::Methods,
    role::RoleSet,
    user::{Account, User},
};
use sme_pulse_persistence::{
    LogInRecord, OpenChallenge, PasswordAsOf, PrincipalRow, RenewedHash, StoreError, retrying,
};
use zeroize::Zeroizing;

use super::{
    FactorError, FactorRefusal,
    check::{Checked, Guessing, by_recovery_code},
};
use crate::service::{
    AuthService, Position, SignedIn,
    device::ShownOn,
    guesses::GuessScope,
    log_in::{Arrival, scope_of},
    one_time_token::{OneTimeToken, TokenKind},
    places::land,
};

/// How long a log-in waits for its code, in seconds.
const PATIENCE: i64 = 300;
/// Codes that may be tried at one log-in.
const ATTEMPTS: i32 = 5;

/// What a client gets instead of tokens when the second factor is still to be shown. There is no `Debug`.
#[derive(Clone)]
pub struct PendingLogIn {
    /// Whose log-in it is.
    pub user: User,
    /// To be sent with the code.
    pub token: Zeroizing<String>,
    /// Seconds until it is refused.
    pub expires_in: i64,
}

/// The second half of a log-in. There is no `Debug`: it holds a token and a code.
pub struct CodeAttempt {
    /// The token of the first half.
    pub token: Zeroizing<String>,
    /// A code of the second factor or a recovery code.
    pub code: Zeroizing<String>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// The device token that the client presents; anything else than a genuine one counts as none.
    pub device: Option<String>,
    /// The request and the client's address.
    pub origin: Origin,
}

/// A log-in that is complete.
pub struct Completed {
    /// The tokens of the new session.
    pub signed_in: SignedIn,
    /// Whether a recovery code was used up.
    pub by_recovery_code: bool,
}

impl AuthService {
    /// Lets a log-in wait for its code; `None` when the password was changed since it was compared.
    pub(in crate::service) async fn await_code(
        &self,
        account: Account,
        renewed: Option<RenewedHash>,
        origin: &Origin,
    ) -> Result<Option<PendingLogIn>, StoreError> {
        let (user, now) = (account.user, self.parts.clock.now());
        let password = PasswordAsOf::Exactly(account.password_changed_at);
        let token = OneTimeToken::new(TokenKind::HalfLogIn, &*self.parts.rng);
        let stored = token.hash();
        let expires_at = now.checked_add_signed(Duration::seconds(PATIENCE)).unwrap_or(now);
        let waits = retrying(|| async {
            let tx = self.parts.store.begin(scope_of(&user)).await?;
            // First, because it waits for a change of the password that is under way, which removes all that wait.
            if !tx.sessions().lock_password(user.id, password).await? {
                return Ok(false);
            }
            tx.challenges().open(user.id, &stored, (now, expires_at)).await?;
            // Only now is the password at hand.
            if let Some(renewed) = renewed.clone() {
                tx.sessions().renew_hash(user.id, renewed).await?;
            }
            tx.record(AuditEvent::about_user(Action::FactorAsked, (user.id, user.org), origin), now).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(true)
        })
        .await?;
        Ok(waits.then_some(PendingLogIn { user, token: token.into_text(), expires_in: PATIENCE }))
    }

    /// Completes a log-in with its code, and opens a session for this device.
    pub async fn complete_log_in(&self, attempt: CodeAttempt) -> Result<Completed, FactorError> {
        let now = self.parts.clock.now();
        let unknown = || FactorError::LogInRefused { user: None, refusal: FactorRefusal::UnknownToken };
        let stored = OneTimeToken::parse(TokenKind::HalfLogIn, &attempt.token).ok_or_else(unknown)?.hash();
        let challenge = retrying(|| self.parts.store.count_challenge_attempt(&stored, ATTEMPTS, now)).await?;
        let challenge = challenge.ok_or_else(unknown)?;
        let position = self.position().await;
        let row = self.parts.store.principal(challenge.user, None).await?;
        let row = row.filter(|row| row.user.org == challenge.org).ok_or_else(unknown)?;
        let checked = match self.judge(&row).await? {
            Ok(place) => {
                let open =
                    Box::pin(retrying(|| self.open_with_code(position, (&row.user, &place), challenge, &attempt, now)));
                let confirmed_at = self.factor_confirmed_at(&row.user).await?;
                let device = self.device_of_factor(row.user.id, confirmed_at, attempt.device.as_deref());
                let origin = &attempt.origin;
                self.guessing(&Guessing { scope: GuessScope::Code, user: &row.user, device, origin }, open).await?
            }
            Err(refusal) => Err(refusal),
        };
        match checked {
            Ok(completed) => Ok(completed),
            Err(refusal) => {
                self.record_apart(refused(&row.user, refusal, &attempt.origin)).await?;
                Err(FactorError::LogInRefused { user: Some(row.user.id), refusal })
            }
        }
    }

    async fn factor_confirmed_at(&self, user: &User) -> Result<Option<DateTime<Utc>>, StoreError> {
        let tx = self.parts.store.begin_read(scope_of(user)).await?;
        Ok(tx.factors().find(user.id).await?.and_then(|factor| factor.confirmed_at))
    }

    /// One transaction: the code and the challenge are used up, and the session is open, or nothing has happened.
    async fn open_with_code(
        &self,
        position: Position,
        (user, (org, roles)): (&User, &(OrgId, RoleSet)),
        challenge: OpenChallenge,
        attempt: &CodeAttempt,
        now: DateTime<Utc>,
    ) -> Result<Checked<Completed>, FactorError> {
        let tx = self.parts.store.begin(scope_of(user)).await?;
        let password = PasswordAsOf::NotAfter(challenge.opened_at);
        // First, because it waits for a change of the password that is under way.
        if !tx.sessions().record_log_in(LogInRecord { user: user.id, at: now, password, renewed: None }).await? {
            return Ok(Err(FactorRefusal::UnknownToken));
        }
        let methods: Methods = match self.use_code(&tx, user.id, &attempt.code, now).await? {
            Ok(methods) => methods,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !tx.challenges().use_up(challenge.id, now).await? {
            return Ok(Err(FactorRefusal::UnknownToken));
        }
        let arrival = Arrival { user_agent: attempt.user_agent.as_deref(), origin: &attempt.origin, at: now };
        let session = self.new_session((user.id, *org), &arrival, methods);
        let mut signed_in = self.issue(position, (user.clone(), roles.clone()), (&session, 0), now)?;
        signed_in.device_token = Some(self.remembered(user.id, ShownOn::Factor, attempt.device.as_deref()));
        if by_recovery_code(methods) {
            tx.record(AuditEvent::by_user(Action::RecoveryCodeUsed, (user.id, user.org), &attempt.origin), now).await?;
        }
        land(tx, user, &session, &attempt.origin, now).await?;
        Ok(Ok(Completed { signed_in, by_recovery_code: by_recovery_code(methods) }))
    }

    /// Where the log-in leads. Status counts as it is now, not as it was when the password was right.
    async fn judge(&self, row: &PrincipalRow) -> Result<Checked<(OrgId, RoleSet)>, StoreError> {
        if !row.user.status.is_active() {
            return Ok(Err(FactorRefusal::InactiveUser));
        }
        let place = self.landing(&row.user, (row.org_status, &row.roles)).await?;
        Ok(place.ok_or(FactorRefusal::SuspendedOrganization))
    }
}

/// Nobody is known to have done it: whoever sent the code has not shown who they are.
fn refused(user: &User, refusal: FactorRefusal, origin: &Origin) -> AuditEvent {
    let status = matches!(refusal, FactorRefusal::InactiveUser | FactorRefusal::SuspendedOrganization);
    let action = if status { Action::LogInFailed } else { Action::FactorRefused };
    AuditEvent { actor: None, ..AuditEvent::by_user(action, (user.id, user.org), origin) }
}
