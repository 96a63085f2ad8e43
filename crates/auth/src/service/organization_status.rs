//! Suspending an organization and letting it go on: for the operator, no use case of its own people. Suspended means that no
//! log-in, token or refresh works from the next request on; nothing is removed.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    ids::OrgId,
    organization::Organization,
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::{Store, retrying};

use super::OrganizationError;

/// Gives an organization this status and returns its data sheet. One that has it already is left as it is.
pub async fn set_organization_status(
    store: &Store,
    org: OrgId,
    status: Status,
    now: DateTime<Utc>,
) -> Result<Organization, OrganizationError> {
    retrying(|| async {
        let tx = store.begin(scope_of(org)).await?;
        let before = tx.organization().find_for_update().await?.ok_or(OrganizationError::NotFound)?;
        if before.status == status {
            return Ok(before);
        }
        let after = Organization { status, ..before.clone() };
        tx.organization().save(&after, now).await?;
        let action = if status.is_active() { Action::OrganizationActivated } else { Action::OrganizationSuspended };
        let mut event = AuditEvent::new(action, Some(org), Origin::default());
        event.entity = Some("organizations");
        event.entity_id = Some(org.get());
        (event.before, event.after) = (Some(word(before.status)), Some(word(status)));
        tx.record(event, now).await?;
        tx.commit().await?;
        Ok(after)
    })
    .await
}

fn word(status: Status) -> Details {
    Details::from([("status".to_owned(), Some(status.as_str().to_owned()))])
}

#[expect(clippy::disallowed_methods, reason = "the operator may act on every organization, and names this one")]
const fn scope_of(org: OrgId) -> TenantScope {
    TenantScope::assume_verified(org, None)
}
