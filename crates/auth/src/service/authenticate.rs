//! From a token to the caller behind it: signature and claims first, then the server's own state.

use sme_pulse_persistence::PrincipalRow;

use super::AuthService;
use crate::{AccessError, Principal, token::AccessClaims};

impl AuthService {
    /// The caller behind a token: genuine, of an existing user in this organization, with a live session, both active.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, AccessError> {
        let claims = self.parts.verifier.verify(token, self.parts.clock.now().timestamp())?;
        let row = self
            .parts
            .store
            .principal(claims.user, claims.session)
            .await
            .map_err(|error| AccessError::Undecided(Box::new(error)))?;
        self.admit(&claims, row.ok_or(AccessError::UnknownUser)?)
    }

    fn admit(&self, claims: &AccessClaims, row: PrincipalRow) -> Result<Principal, AccessError> {
        let user = row.user.id;
        if claims.org != row.user.org {
            return Err(AccessError::OrganizationMismatch { user, claimed: claims.org });
        }
        if claims.session.is_some() {
            let now = self.parts.clock.now();
            let session = row.session.ok_or(AccessError::SessionEnded)?;
            let leeway = chrono::Duration::seconds(i64::from(self.parts.verifier.leeway()));
            let expired = now.checked_sub_signed(leeway).is_none_or(|earliest| earliest >= session.expires_at);
            if session.revoked_at.is_some() || expired || session.org != claims.org {
                return Err(AccessError::SessionEnded);
            }
        }
        if !row.user.status.is_active() || !row.org_status.is_active() {
            return Err(AccessError::Inactive { user });
        }
        Ok(Principal::new(row.user, claims.session, row.roles))
    }
}

#[cfg(feature = "actix")]
impl crate::guard::Authenticate for AuthService {
    fn authenticate<'a>(&'a self, token: &'a str) -> crate::guard::Authenticating<'a> {
        Box::pin(Self::authenticate(self, token))
    }
}
