//! Log-out: ends the calling session.

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    session::EndReason,
};
use sme_pulse_persistence::{StoreError, retrying};

use super::AuthService;
use crate::Principal;

impl AuthService {
    /// Ends the caller's session; its token is refused from the next request on. A token without a session has
    /// nothing to end.
    pub async fn log_out(&self, caller: &Principal, origin: &Origin) -> Result<(), StoreError> {
        let Some(session) = caller.session() else { return Ok(()) };
        let now = self.parts.clock.now();
        retrying(|| async {
            let tx = self.parts.store.begin(caller.scope()).await?;
            if tx.sessions().end(session, EndReason::LoggedOut, now).await? {
                let mut event = AuditEvent::new(Action::LogOut, Some(caller.org_id()), origin.clone());
                event.actor = Some(caller.user_id());
                event.entity = Some("users");
                event.entity_id = Some(caller.user_id().get());
                tx.record(event, now).await?;
            }
            tx.commit().await
        })
        .await?;
        self.changed(caller.user_id());
        Ok(())
    }
}
