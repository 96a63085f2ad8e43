//! The organization's own data sheet: read by every member, written by owners and admins (the guard sees to that).

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    organization::{Organization, OrganizationPatch},
};
use sme_pulse_persistence::{AsStoreError, StoreError, retrying};

use super::AuthService;
use crate::Principal;

/// Why the data sheet could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum OrganizationError {
    /// The organization was removed meanwhile.
    #[error("the organization does not exist")]
    NotFound,
    /// Another organization has the tax code.
    #[error("another organization has this tax code")]
    TaxCodeTaken,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for OrganizationError {
    fn from(error: StoreError) -> Self {
        if error.is_duplicate_of("tax_code") { Self::TaxCodeTaken } else { Self::Store(error) }
    }
}

impl AsStoreError for OrganizationError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::NotFound | Self::TaxCodeTaken => None,
        }
    }
}

/// What a data sheet may tell about a person: many a company is one.
const PERSONAL: &[&str] = &["name", "tax_code", "address", "phone", "email"];

impl AuthService {
    /// The data sheet of the caller's organization.
    pub async fn organization(&self, caller: &Principal) -> Result<Organization, OrganizationError> {
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        tx.organization().find().await?.ok_or(OrganizationError::NotFound)
    }

    /// Changes the data sheet and returns it as it is now. A patch that changes nothing writes nothing.
    pub async fn update_organization(
        &self,
        caller: &Principal,
        patch: &OrganizationPatch,
        origin: &Origin,
    ) -> Result<Organization, OrganizationError> {
        retrying(|| async {
            let tx = self.parts.store.begin(caller.scope()).await?;
            let before = tx.organization().find_for_update().await?.ok_or(OrganizationError::NotFound)?;
            let after = before.patched(patch.clone());
            if after != before {
                let now = self.parts.clock.now();
                tx.organization().save(&after, now).await?;
                let mut event = AuditEvent::new(Action::OrganizationUpdated, Some(caller.org_id()), origin.clone());
                event.actor = Some(caller.user_id());
                event.entity = Some("organizations");
                event.entity_id = Some(after.id.get());
                (event.before, event.after) = differences(&before, &after);
                event.personal = PERSONAL;
                tx.record(event, now).await?;
            }
            tx.commit().await?;
            Ok(after)
        })
        .await
    }
}

/// Only the fields that changed.
fn differences(before: &Organization, after: &Organization) -> (Option<Details>, Option<Details>) {
    let (mut old, mut new) = (details(before), details(after));
    old.retain(|name, value| new.get(name) != Some(value));
    new.retain(|name, _| old.contains_key(name));
    (Some(old), Some(new))
}

fn details(sheet: &Organization) -> Details {
    [
        ("name", Some(sheet.name.clone())),
        ("tax_code", sheet.tax_code.clone()),
        ("address", sheet.address.clone()),
        ("phone", sheet.phone.clone()),
        ("email", sheet.email.clone()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
