//! The organization's own data sheet.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, QuerySelect, sea_query::LockType};
use sme_pulse_domain::{ids::OrgId, organization::Organization, tenant::TenantScope};

use crate::{
    StoreError, TenantTx,
    connection::Transaction,
    entity::{TenantOwned, organization},
};

/// The organization of the transaction's scope.
pub struct Organizations<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

impl TenantTx {
    /// The organization this transaction is confined to.
    pub const fn organization(&self) -> Organizations<'_> {
        Organizations { tx: self.connection(), scope: self.scope() }
    }
}

impl Organizations<'_> {
    /// The data sheet; `None` only if the organization was removed meanwhile.
    pub async fn find(&self) -> Result<Option<Organization>, StoreError> {
        organization::Entity::within(self.scope).one(self.tx).await?.map(to_domain).transpose()
    }

    /// The same, locked until the transaction ends, for a read that decides a write.
    pub async fn find_for_update(&self) -> Result<Option<Organization>, StoreError> {
        organization::Entity::within(self.scope)
            .lock(LockType::NoKeyUpdate)
            .one(self.tx)
            .await?
            .map(to_domain)
            .transpose()
    }

    /// Writes the data sheet. A taken tax code is `StoreError::is_duplicate_of("tax_code")`.
    pub async fn save(&self, sheet: &Organization, now: DateTime<Utc>) -> Result<(), StoreError> {
        organization::Entity::update_within(self.scope)
            .set(organization::ActiveModel {
                name: Set(sheet.name.clone()),
                tax_code: Set(sheet.tax_code.clone()),
                address: Set(sheet.address.clone()),
                phone: Set(sheet.phone.clone()),
                email: Set(sheet.email.clone()),
                status: Set(sheet.status.as_str().to_owned()),
                updated_at: Set(now),
                ..Default::default()
            })
            .exec(self.tx)
            .await?;
        Ok(())
    }
}

fn to_domain(row: organization::Model) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: OrgId::new(row.id),
        status: row.status.parse().map_err(|_| StoreError::Unreadable("status"))?,
        name: row.name,
        tax_code: row.tax_code,
        address: row.address,
        phone: row.phone,
        email: row.email,
    })
}
