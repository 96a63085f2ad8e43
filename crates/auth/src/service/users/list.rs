//! Seeing people.

use sme_pulse_domain::{ids::UserId, permission::Permission, person::Person};
use sme_pulse_persistence::{PersonFilter, StoreError};

use super::UserError;
use crate::{Principal, service::AuthService};

impl AuthService {
    /// How many people of the caller's organization match, and a part of them, the latest first.
    pub async fn users(
        &self,
        caller: &Principal,
        filter: &PersonFilter,
        (skip, limit): (u64, u64),
    ) -> Result<(u64, Vec<Person>), StoreError> {
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        tx.people().list(filter, skip, limit).await
    }

    /// One of them: anybody for those who may see all, else the caller alone.
    pub async fn user(&self, caller: &Principal, user: UserId) -> Result<Person, UserError> {
        self.reaches(caller, user, Permission::ReadUsers)?;
        let tx = self.parts.store.begin_read(caller.scope()).await?;
        tx.people().find(user).await?.ok_or(UserError::NotFound)
    }
}
