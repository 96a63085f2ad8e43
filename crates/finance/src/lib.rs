//! The ledgers: what a business owes and is owed. Use cases of partners, accounts, invoices, bills and payments live
//! here, one file each; they open a transaction of the tenant, load, apply a rule of the domain, save, record the event and
//! commit. They know no HTTP.
//!
//! So far there are partners and accounts. A use case that creates something is given a [`Once`]: it asks it first whether
//! this very request was answered before, and gives it the result before it commits.

mod accounts;
mod error;
mod once;
mod partners;

use std::sync::Arc;

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    clock::Clock,
    tenant::TenantScope,
};
use sme_pulse_persistence::Store;

pub use accounts::Balanced;
pub use error::{LedgerError, LedgerRow};
pub use once::{Done, Once};
pub use sme_pulse_domain::{
    account::{Account, AccountKind, AccountPatch, LedgerClass, NewAccount},
    money::{Money, MoneyError, Total},
    partner::{NewPartner, Partner, PartnerKind, PartnerPatch},
};
pub use sme_pulse_persistence::{AccountFilter, KeptAnswer, KeyedRequest, PartnerFilter};

/// The use cases of the ledgers. Share it behind an `Arc`.
pub struct Finance {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Finance {
    /// The use cases over a database.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }
}

/// An event about a row of the ledgers, brought about by whoever holds the scope.
fn event(action: Action, scope: TenantScope, row: (LedgerRow, i64), origin: &Origin) -> AuditEvent {
    let (kind, id) = row;
    let event = AuditEvent::new(action, Some(scope.org()), origin.clone());
    AuditEvent { actor: scope.actor(), entity: Some(kind.table()), entity_id: Some(id), ..event }
}

/// Only the fields that changed, before and after.
fn differences(mut before: Details, mut after: Details) -> (Option<Details>, Option<Details>) {
    before.retain(|name, value| after.get(name) != Some(value));
    after.retain(|name, _| before.contains_key(name));
    (Some(before), Some(after))
}
