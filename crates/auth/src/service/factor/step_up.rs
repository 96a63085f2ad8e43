//! Proving again who one is, in a session that is open: what must not be done with a token alone asks for it.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    ids::SessionId,
    method::Methods,
    role::RoleSet,
};
use sme_pulse_persistence::retrying;

use super::{
    FactorError, ShownProof,
    check::{Checked, by_recovery_code},
    manage::has_factor,
};
use crate::{
    AccessError, Principal,
    service::{AccessToken, AuthService, Position, guesses::GuessScope},
};

impl AuthService {
    /// Notes in the caller's session that they have just proved who they are: with a code if their account has a second
    /// factor, with the password if not. The access token tells importing services.
    pub async fn step_up(
        &self,
        caller: &Principal,
        shown: ShownProof,
        origin: &Origin,
    ) -> Result<AccessToken, FactorError> {
        let session = caller.session().ok_or(FactorError::NoSession)?;
        let now = self.parts.clock.now();
        // The caller's own roles may have been read before the position.
        let position = self.position().await;
        let roles = self.roles_of(caller).await?;
        let going = (position, &roles);
        let checked = if self.has_factor(caller).await? {
            let code = shown.code.ok_or(FactorError::CodeNeeded)?;
            let prove = Box::pin(retrying(|| self.prove_in_one(going, (caller, session), Some(&code), origin, now)));
            self.proving(caller, GuessScope::Code, origin, prove).await?
        } else {
            let password = shown.password.ok_or(FactorError::PasswordNeeded)?;
            match self.prove_password(caller, password, origin).await? {
                Ok(_) => Box::pin(retrying(|| self.prove_in_one(going, (caller, session), None, origin, now))).await?,
                Err(refusal) => Err(refusal),
            }
        };
        match checked {
            Ok(token) => {
                self.changed(caller.user_id());
                Ok(token)
            }
            Err(refusal) => self.refuse_proof(caller, refusal, origin).await,
        }
    }

    /// The roles that the caller holds now.
    async fn roles_of(&self, caller: &Principal) -> Result<RoleSet, FactorError> {
        let row = self.parts.store.principal(caller.user_id(), caller.session()).await?;
        let row = row.filter(|row| row.is_member && row.org == caller.org_id());
        Ok(row.ok_or(AccessError::SessionEnded)?.roles)
    }

    async fn prove_in_one(
        &self,
        (position, roles): (Position, &RoleSet),
        (caller, session): (&Principal, SessionId),
        code: Option<&str>,
        origin: &Origin,
        now: DateTime<Utc>,
    ) -> Result<Checked<AccessToken>, FactorError> {
        let user = caller.user_id();
        let tx = self.parts.store.begin(caller.account_scope()).await?;
        let methods = match code {
            Some(code) => match self.use_code(&tx, user, code, now).await? {
                Ok(methods) => methods,
                Err(refusal) => return Ok(Err(refusal)),
            },
            // The factor may have been confirmed while the password was compared.
            None if has_factor(&tx, user).await? => return Err(FactorError::CodeNeeded),
            None => Methods::PASSWORD,
        };
        let proved = tx.sessions().prove((session, user), methods, now).await?;
        let session = proved.ok_or(AccessError::SessionEnded)?;
        let token = self.access_token(position, (user, roles), &session, now)?;
        if by_recovery_code(methods) {
            tx.record(AuditEvent::by_user(Action::RecoveryCodeUsed, (user, caller.home_id()), origin), now).await?;
        }
        tx.record(AuditEvent::by_user(Action::Reauthenticated, (user, caller.home_id()), origin), now).await?;
        tx.commit().await?;
        Ok(Ok(token))
    }
}
