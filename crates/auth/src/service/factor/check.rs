//! Whether a proof counts. A code is used up in the transaction of what it is used for, so that both happen or neither.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    ids::UserId,
    method::{Method, Methods},
    user::User,
};
use sme_pulse_persistence::{StoreError, StoredFactor, TenantTx, UsedStep, retrying};
use zeroize::Zeroizing;

use super::{FactorError, FactorRefusal, code::Code, totp};
use crate::{
    Principal,
    password::Verdict,
    service::{
        AuthService,
        applicants::signed_in,
        device::DeviceId,
        guesses::{GuessError, GuessScope},
        profile,
    },
};

/// Whose secret is guessed at, and from where.
pub(super) struct Guessing<'a> {
    pub(super) scope: GuessScope,
    pub(super) user: &'a User,
    pub(super) device: Option<DeviceId>,
    pub(super) origin: &'a Origin,
}

/// Something that counts, or why it does not.
pub(super) type Checked<T> = Result<T, FactorRefusal>;

impl AuthService {
    /// Through here goes every check of a code or password that is not the first half of a log-in: counted before it is
    /// looked at, so that wrong ones make the next wait, from all clients together. What was not looked at, or was
    /// right, does not count.
    pub(super) async fn guessing<T>(
        &self,
        guessing: &Guessing<'_>,
        check: impl Future<Output = Result<Checked<T>, FactorError>>,
    ) -> Result<Checked<T>, FactorError> {
        let Guessing { scope, user, device, origin } = guessing;
        let admitted = self.guesses.admit(*scope, &user.id.to_string(), *device).await;
        let guess = admitted.map_err(|error| match error {
            GuessError::TooEarly(seconds) => FactorError::Slowed { user: user.id, seconds },
            GuessError::Store(cause) => cause.into(),
        })?;
        let result = check.await;
        match &result {
            Ok(Ok(_)) => {
                // What it was for has happened; a counter that cannot be written must not make that a failure.
                if let Err(error) = self.guesses.right(&guess).await {
                    tracing::warn!(%error, "A right guess stays counted");
                }
            }
            Ok(Err(_)) => {
                if let Some(event) = guess.slowing(Some(user), origin) {
                    self.record_apart(event).await?;
                }
            }
            Err(_) => self.guesses.unchecked(&guess).await?,
        }
        result
    }

    /// The same for somebody who is signed in. Each session is counted for itself, so that a thief in one of them does
    /// not slow the owner down in another.
    pub(super) async fn proving<T>(
        &self,
        caller: &Principal,
        scope: GuessScope,
        origin: &Origin,
        check: impl Future<Output = Result<Checked<T>, FactorError>>,
    ) -> Result<Checked<T>, FactorError> {
        let device = caller.session().map(|session| session.get().into_bytes());
        self.guessing(&Guessing { scope, user: profile(caller)?, device, origin }, check).await
    }

    /// Uses up a code of the user's confirmed factor, or a recovery code, and says what that proves.
    pub(super) async fn use_code(
        &self,
        tx: &TenantTx,
        user: UserId,
        code: &str,
        now: DateTime<Utc>,
    ) -> Result<Checked<Methods>, StoreError> {
        let Some(code) = Code::read(code) else { return Ok(Err(FactorRefusal::NoCode)) };
        let factor = tx.factors().find(user).await?.filter(|factor| factor.confirmed_at.is_some());
        let Some(factor) = factor else { return Ok(Err(FactorRefusal::NoFactor)) };
        match code {
            Code::Recovery(hash) => {
                let was_there = tx.factors().use_recovery_code(user, &hash, now).await?;
                Ok(if was_there { Ok(Methods::WITH_RECOVERY_CODE) } else { Err(FactorRefusal::UnknownRecoveryCode) })
            }
            Code::OneTime(code) => match self.step_of(user, &factor, &code, now) {
                Ok(step) => {
                    let newest = tx.factors().use_step(user, step).await?;
                    Ok(if newest { Ok(Methods::WITH_CODE) } else { Err(FactorRefusal::UsedCode) })
                }
                Err(refusal) => Ok(Err(refusal)),
            },
        }
    }

    /// The step of a code that is right at this time, whether used before or not.
    pub(super) fn step_of(
        &self,
        user: UserId,
        factor: &StoredFactor,
        code: &str,
        now: DateTime<Utc>,
    ) -> Checked<UsedStep> {
        let opened = self.factors.open(user, &factor.sealed).ok_or(FactorRefusal::UnreadableSecret)?;
        let step = totp::step_of(&opened.secret, code, now).ok_or(FactorRefusal::WrongCode)?;
        let sealed_anew = || self.factors.seal(user, &opened.secret, &*self.parts.rng);
        let resealed = if opened.outdated { sealed_anew() } else { None };
        Ok(UsedStep { step, resealed, at: now })
    }

    /// Whether this is the caller's password, counted as a guess.
    pub(super) async fn prove_password(
        &self,
        caller: &Principal,
        password: Zeroizing<String>,
        origin: &Origin,
    ) -> Result<Checked<Methods>, FactorError> {
        let check = Box::pin(self.check_password(caller, password, origin));
        self.proving(caller, GuessScope::OwnPassword, origin, check).await
    }

    async fn check_password(
        &self,
        caller: &Principal,
        password: Zeroizing<String>,
        origin: &Origin,
    ) -> Result<Checked<Methods>, FactorError> {
        let account = self.parts.store.account_by_email(&profile(caller)?.email).await?;
        let stored = account.filter(|account| account.user.id == caller.user_id()).map(|account| account.password_hash);
        Ok(match self.parts.passwords.verify(signed_in(caller, origin), password, stored).await? {
            Verdict::Match { .. } => Ok(Methods::PASSWORD),
            Verdict::Mismatch => Err(FactorRefusal::WrongPassword),
            Verdict::Unreadable => Err(FactorRefusal::UnreadableHash),
        })
    }

    /// Records a proof that does not count, and makes the error of it.
    pub(super) async fn refuse_proof<T>(
        &self,
        caller: &Principal,
        refusal: FactorRefusal,
        origin: &Origin,
    ) -> Result<T, FactorError> {
        let user = caller.user_id();
        let password = matches!(refusal, FactorRefusal::WrongPassword | FactorRefusal::UnreadableHash);
        let action = if password { Action::PasswordRefused } else { Action::FactorRefused };
        self.record_apart(AuditEvent::by_user(action, (user, caller.home_id()), origin)).await?;
        Err(FactorError::WrongProof { user, refusal })
    }

    /// Records an event that changes nothing else.
    pub(in crate::service) async fn record_apart(&self, event: AuditEvent) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        retrying(|| async {
            let tx = self.parts.store.begin_system().await?;
            tx.record(event.clone(), now).await?;
            tx.commit().await
        })
        .await
    }
}

/// Whether a recovery code has proved it.
pub(super) const fn by_recovery_code(methods: Methods) -> bool {
    methods.contains(Method::SeveralFactors) && !methods.contains(Method::OneTimeCode)
}
