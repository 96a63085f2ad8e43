//! Taking a user out of the organization. Rows stay: documents name who made them.

use sme_pulse_domain::{audit::Origin, ids::UserId};
use sme_pulse_persistence::retrying;

use super::{UpdatedUser, UserError, allowed, update::store_user};
use crate::{Principal, service::AuthService};

impl AuthService {
    /// Deactivates a user, or ends the membership of one from elsewhere; their sessions end. Repeatable.
    pub async fn deactivate_user(
        &self,
        caller: &Principal,
        user: UserId,
        origin: &Origin,
    ) -> Result<UpdatedUser, UserError> {
        let updated = retrying(|| async {
            let tx = self.lock_people(caller).await?;
            let before = tx.people().find(user).await?.ok_or(UserError::NotFound)?;
            let after = allowed(&tx, caller, &before, |actor| before.deactivated(actor)).await?;
            store_user(tx, caller.into(), (&before, after), (origin, self.parts.clock.now())).await
        })
        .await?;
        self.changed(user);
        Ok(updated)
    }
}
