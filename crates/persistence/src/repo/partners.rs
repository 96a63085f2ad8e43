//! Customers and suppliers: two tables that are equal but for the name of one column, behind one repository.

pub(crate) mod table;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait as _, DbBackend, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::LockType,
};
use sme_pulse_domain::{
    ids::PartnerId,
    partner::{NewPartner, Partner, PartnerKind},
    status::Status,
    tenant::TenantScope,
};

use super::search::contains;
use crate::{
    StoreError, TenantTx,
    connection::Transaction,
    entity::{customer, supplier},
};
use table::PartnerTable;

/// The customers or the suppliers of the transaction's organization.
pub struct Partners<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
    kind: PartnerKind,
}

/// Which partners are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartnerFilter {
    /// In use or not.
    pub status: Option<Status>,
    /// A part of name or code, in any letter case.
    pub search: Option<String>,
}

impl TenantTx {
    /// The partners of this organization on one side of the ledger.
    pub const fn partners(&self, kind: PartnerKind) -> Partners<'_> {
        Partners { tx: self.connection(), scope: self.scope(), kind }
    }
}

impl Partners<'_> {
    /// `None` for an unknown id and for another organization's id alike.
    pub async fn find(&self, id: PartnerId) -> Result<Option<Partner>, StoreError> {
        match self.kind {
            PartnerKind::Customer => self.find_in::<customer::Entity>(id, None).await,
            PartnerKind::Supplier => self.find_in::<supplier::Entity>(id, None).await,
        }
    }

    /// The same, locked until the transaction ends, for a read that decides a write.
    pub async fn find_for_update(&self, id: PartnerId) -> Result<Option<Partner>, StoreError> {
        let lock = Some(LockType::NoKeyUpdate);
        match self.kind {
            PartnerKind::Customer => self.find_in::<customer::Entity>(id, lock).await,
            PartnerKind::Supplier => self.find_in::<supplier::Entity>(id, lock).await,
        }
    }

    /// How many match, and a part of them, newest first.
    pub async fn list(&self, filter: &PartnerFilter, skip: u64, limit: u64) -> Result<(u64, Vec<Partner>), StoreError> {
        match self.kind {
            PartnerKind::Customer => self.list_in::<customer::Entity>(filter, skip, limit).await,
            PartnerKind::Supplier => self.list_in::<supplier::Entity>(filter, skip, limit).await,
        }
    }

    /// Adds one. A taken code is `StoreError::is_duplicate_of("code")`.
    pub async fn add(&self, new: &NewPartner, now: DateTime<Utc>) -> Result<Partner, StoreError> {
        match self.kind {
            PartnerKind::Customer => self.add_to::<customer::Entity>(new, now).await,
            PartnerKind::Supplier => self.add_to::<supplier::Entity>(new, now).await,
        }
    }

    /// Writes what may change. A taken code is `StoreError::is_duplicate_of("code")`.
    pub async fn save(&self, partner: &Partner) -> Result<(), StoreError> {
        match self.kind {
            PartnerKind::Customer => self.save_in::<customer::Entity>(partner).await,
            PartnerKind::Supplier => self.save_in::<supplier::Entity>(partner).await,
        }
    }

    async fn find_in<T: PartnerTable>(
        &self,
        id: PartnerId,
        lock: Option<LockType>,
    ) -> Result<Option<Partner>, StoreError> {
        let mut query = T::within(self.scope).filter(T::ID.eq(id.get()));
        if let Some(lock) = lock {
            query = query.lock(lock);
        }
        query.one(self.tx).await?.map(T::partner).transpose()
    }

    async fn list_in<T: PartnerTable>(
        &self,
        filter: &PartnerFilter,
        skip: u64,
        limit: u64,
    ) -> Result<(u64, Vec<Partner>), StoreError> {
        let matching = matching::<T>(self.scope, self.tx.get_database_backend(), filter);
        let total = matching.clone().count(self.tx).await?;
        let newest = newest_first(matching).offset(skip).limit(limit);
        let rows = newest.all(self.tx).await?;
        Ok((total, rows.into_iter().map(T::partner).collect::<Result<_, _>>()?))
    }

    async fn add_to<T: PartnerTable>(&self, new: &NewPartner, now: DateTime<Utc>) -> Result<Partner, StoreError> {
        let row = T::new_row(self.scope.org(), new, now);
        T::partner(T::insert(row).exec_with_returning(self.tx).await?)
    }

    async fn save_in<T: PartnerTable>(&self, partner: &Partner) -> Result<(), StoreError> {
        let changes = T::changes(partner);
        T::update_within(self.scope).set(changes).filter(T::ID.eq(partner.id.get())).exec(self.tx).await?;
        Ok(())
    }
}

fn matching<T: PartnerTable>(scope: TenantScope, backend: DbBackend, filter: &PartnerFilter) -> Select<T> {
    let mut matching = T::within(scope);
    if let Some(status) = filter.status {
        matching = matching.filter(T::STATUS.eq(status.as_str()));
    }
    if let Some(text) = &filter.search {
        let found = [T::NAME, T::CODE].map(|column| contains(backend, column.into_expr(), text));
        matching = matching.filter(found.into_iter().fold(Condition::any(), Condition::add));
    }
    matching
}

fn newest_first<T: PartnerTable>(rows: Select<T>) -> Select<T> {
    rows.order_by_desc(T::CREATED_AT).order_by_desc(T::ID)
}

#[cfg(test)]
#[path = "partners/plan_tests.rs"]
mod plan_tests;
