//! A signed-in user's own second factor: seeing it, enrolling, confirming, new recovery codes, removing it.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    ids::UserId,
    method::Methods,
};
use sme_pulse_persistence::{StoreError, TenantTx, retrying};
use zeroize::Zeroizing;

use super::{
    Enrolment, FactorError, FactorRefusal, RECENT_MINUTES, ShownProof,
    check::{Checked, by_recovery_code},
    code::{self, Code},
    totp,
};
use crate::{
    AccessError, Principal,
    service::{AuthService, guesses::GuessScope, mail_texts, profile},
};

/// A user's second factor, as they may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorStatus {
    /// Since when it is asked for; `None` when it is not.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes that were not used yet.
    pub recovery_codes_left: u64,
}

/// Recovery codes as they are shown, once. There is no `Debug`.
pub type RecoveryCodes = Vec<Zeroizing<String>>;

impl AuthService {
    /// The caller's second factor.
    pub async fn factor_status(&self, caller: &Principal) -> Result<FactorStatus, StoreError> {
        let tx = self.parts.store.begin_read(caller.account_scope()).await?;
        let factor = tx.factors().find(caller.user_id()).await?;
        let confirmed_at = factor.and_then(|factor| factor.confirmed_at);
        Ok(FactorStatus {
            confirmed_at,
            recovery_codes_left: tx.factors().recovery_codes_left(caller.user_id()).await?,
        })
    }

    /// Whether the caller's log-ins ask for a code.
    pub async fn has_factor(&self, caller: &Principal) -> Result<bool, StoreError> {
        let tx = self.parts.store.begin_read(caller.account_scope()).await?;
        has_factor(&tx, caller.user_id()).await
    }

    /// Refuses a caller who has a second factor and has not shown it in this session, or too long ago. Users without one
    /// pass: for what asks them for the password anyhow.
    pub async fn require_recent_if_factor(&self, caller: &Principal, minutes: u32) -> Result<(), AccessError> {
        let has_factor = self.has_factor(caller).await.map_err(|error| AccessError::Undecided(Box::new(error)))?;
        if has_factor { caller.require_recent_factor(minutes) } else { Ok(()) }
    }

    /// A new secret for the caller, in place of one that was never confirmed. It is asked for once it is confirmed.
    pub async fn enrol_factor(&self, caller: &Principal, origin: &Origin) -> Result<Enrolment, FactorError> {
        let (user, now) = (caller.user_id(), self.parts.clock.now());
        let mut secret = Zeroizing::new([0; totp::SECRET_BYTES]);
        self.parts.rng.fill(secret.as_mut_slice());
        let sealed = self.factors.seal(user, secret.as_slice(), &*self.parts.rng).ok_or(FactorError::Unmakeable)?;
        let enrolment = totp::enrolment(secret.as_slice(), &profile(caller)?.email).ok_or(FactorError::Unmakeable)?;
        let stored = retrying(|| async {
            let tx = self.parts.store.begin(caller.account_scope()).await?;
            let stored = tx.factors().enrol(user, &sealed, now).await?;
            if stored {
                tx.record(AuditEvent::by_user(Action::FactorEnrolled, (user, caller.home_id()), origin), now).await?;
            }
            tx.commit().await?;
            Ok::<_, StoreError>(stored)
        })
        .await?;
        if stored { Ok(enrolment) } else { Err(FactorError::AlreadyEnabled) }
    }

    /// Confirms the enrolled secret with a code of it, and gives the first recovery codes. From now on log-ins ask for a
    /// code; this session counts as one in which it was shown, the caller's others go on as they are.
    pub async fn confirm_factor(
        &self,
        caller: &Principal,
        code: &str,
        origin: &Origin,
    ) -> Result<RecoveryCodes, FactorError> {
        let (codes, hashes) = self.new_recovery_codes();
        let confirm = Box::pin(retrying(|| self.confirm_in_one(caller, code, &hashes, origin)));
        match self.proving(caller, GuessScope::Code, origin, confirm).await? {
            Ok(()) => {
                self.changed(caller.user_id());
                self.errands.notify(mail_texts::factor_enabled(profile(caller)?));
                Ok(codes)
            }
            Err(refusal) => self.refuse_proof(caller, refusal, origin).await,
        }
    }

    async fn confirm_in_one(
        &self,
        caller: &Principal,
        code: &str,
        hashes: &[String],
        origin: &Origin,
    ) -> Result<Checked<()>, FactorError> {
        let (user, now) = (caller.user_id(), self.parts.clock.now());
        let tx = self.parts.store.begin(caller.account_scope()).await?;
        let factor = tx.factors().find_for_update(user).await?.ok_or(FactorError::NotEnrolled)?;
        if factor.confirmed_at.is_some() {
            return Err(FactorError::AlreadyEnabled);
        }
        let Some(Code::OneTime(code)) = Code::read(code) else { return Ok(Err(FactorRefusal::NoCode)) };
        let step = match self.step_of(user, &factor, &code, now) {
            Ok(step) => step,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !tx.factors().confirm(user, &factor.sealed, step).await? {
            return Err(FactorError::AlreadyEnabled);
        }
        tx.factors().replace_recovery_codes(user, hashes, now).await?;
        if let Some(session) = caller.session() {
            tx.sessions().prove((session, user), Methods::WITH_CODE, now).await?;
        }
        tx.record(AuditEvent::by_user(Action::FactorEnabled, (user, caller.home_id()), origin), now).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// New recovery codes; those from before are void. The caller must have shown the factor lately.
    pub async fn renew_recovery_codes(
        &self,
        caller: &Principal,
        origin: &Origin,
    ) -> Result<RecoveryCodes, FactorError> {
        let (user, now) = (caller.user_id(), self.parts.clock.now());
        let (codes, hashes) = self.new_recovery_codes();
        retrying(|| async {
            let tx = self.parts.store.begin(caller.account_scope()).await?;
            let factor = tx.factors().find_for_update(user).await?;
            if factor.is_none_or(|factor| factor.confirmed_at.is_none()) {
                return Err(FactorError::NotEnabled);
            }
            caller.require_recent_factor(RECENT_MINUTES)?;
            tx.factors().replace_recovery_codes(user, &hashes, now).await?;
            tx.record(AuditEvent::by_user(Action::RecoveryCodesRenewed, (user, caller.home_id()), origin), now).await?;
            Ok(tx.commit().await?)
        })
        .await?;
        Ok(codes)
    }

    /// Removes the caller's second factor and recovery codes. A code or the password proves who asks; without either the
    /// caller must have shown the factor lately.
    pub async fn remove_factor(
        &self,
        caller: &Principal,
        shown: ShownProof,
        origin: &Origin,
    ) -> Result<(), FactorError> {
        if !self.has_factor(caller).await? {
            return Err(FactorError::NotEnabled);
        }
        let checked = match shown {
            ShownProof { code: Some(code), .. } => {
                let remove = Box::pin(retrying(|| self.remove_in_one(caller, Some(&code), origin)));
                self.proving(caller, GuessScope::Code, origin, remove).await?
            }
            ShownProof { password: Some(password), .. } => match self.prove_password(caller, password, origin).await? {
                Ok(_) => Box::pin(retrying(|| self.remove_in_one(caller, None, origin))).await?,
                Err(refusal) => Err(refusal),
            },
            ShownProof { code: None, password: None } => {
                caller.require_recent_factor(RECENT_MINUTES)?;
                Box::pin(retrying(|| self.remove_in_one(caller, None, origin))).await?
            }
        };
        match checked {
            Ok(()) => {
                self.errands.notify(mail_texts::factor_removed(profile(caller)?));
                Ok(())
            }
            Err(refusal) => self.refuse_proof(caller, refusal, origin).await,
        }
    }

    async fn remove_in_one(
        &self,
        caller: &Principal,
        code: Option<&str>,
        origin: &Origin,
    ) -> Result<Checked<()>, FactorError> {
        let (user, now) = (caller.user_id(), self.parts.clock.now());
        let tx = self.parts.store.begin(caller.account_scope()).await?;
        let mut recovery_code_used = false;
        if let Some(code) = code {
            match self.use_code(&tx, user, code, now).await? {
                Ok(methods) => recovery_code_used = by_recovery_code(methods),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        if !tx.factors().remove(user).await? {
            return Err(FactorError::NotEnabled);
        }
        tx.challenges().remove_of(user).await?;
        if recovery_code_used {
            tx.record(AuditEvent::by_user(Action::RecoveryCodeUsed, (user, caller.home_id()), origin), now).await?;
        }
        tx.record(AuditEvent::by_user(Action::FactorDisabled, (user, caller.home_id()), origin), now).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Codes to show and what is stored of them.
    fn new_recovery_codes(&self) -> (RecoveryCodes, Vec<String>) {
        let codes: RecoveryCodes =
            (0..code::RECOVERY_CODES).map(|_| code::new_recovery_code(&*self.parts.rng)).collect();
        let hash = |code: &Zeroizing<String>| match Code::read(code) {
            Some(Code::Recovery(hash)) => Some(hash),
            _ => None,
        };
        let hashes = codes.iter().filter_map(hash).collect();
        (codes, hashes)
    }
}

pub(in crate::service) async fn has_factor(tx: &TenantTx, user: UserId) -> Result<bool, StoreError> {
    Ok(tx.factors().find(user).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
}
