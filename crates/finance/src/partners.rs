//! Customers and suppliers: seen by every role, kept by all but cashiers (the guards see to that).

use sme_pulse_domain::{
    audit::{Action, Details, Origin},
    ids::PartnerId,
    partner::{NewPartner, Partner, PartnerKind, PartnerPatch},
    tenant::TenantScope,
};
use sme_pulse_persistence::{PartnerFilter, retrying};

use crate::{Done, Finance, LedgerError, LedgerRow, Once, differences, event};

/// What a row may tell about a person: many a partner is one.
const PERSONAL: &[&str] = &["name", "tax_code", "contact_person", "email", "phone", "address"];

impl Finance {
    /// The partner with this key.
    pub async fn partner(&self, scope: TenantScope, kind: PartnerKind, id: PartnerId) -> Result<Partner, LedgerError> {
        let tx = self.store.begin_read(scope).await?;
        tx.partners(kind).find(id).await?.ok_or(LedgerError::NotFound(kind.into()))
    }

    /// How many partners match, and a part of them, newest first.
    pub async fn partners(
        &self,
        scope: TenantScope,
        kind: PartnerKind,
        filter: &PartnerFilter,
        (skip, limit): (u64, u64),
    ) -> Result<(u64, Vec<Partner>), LedgerError> {
        let tx = self.store.begin_read(scope).await?;
        Ok(tx.partners(kind).list(filter, skip, limit).await?)
    }

    /// Adds a partner.
    pub async fn add_partner(
        &self,
        scope: TenantScope,
        (kind, new): (PartnerKind, &NewPartner),
        once: &Once<'_, Partner>,
        origin: &Origin,
    ) -> Result<Done<Partner>, LedgerError> {
        retrying(|| async {
            let tx = self.store.begin(scope).await?;
            let now = self.clock.now();
            if let Some(answer) = once.before(&tx, now).await? {
                return Ok(Done::Before(answer));
            }
            let partner = tx.partners(kind).add(new, now).await.map_err(LedgerError::writing(kind.into()))?;
            once.keep(&tx, &partner, now).await?;
            let mut event = event(created(kind), scope, row(kind, &partner), origin);
            event.after = Some(details(&partner));
            event.personal = PERSONAL;
            tx.record(event, now).await?;
            tx.commit().await?;
            Ok(Done::Now(partner))
        })
        .await
    }

    /// Changes a partner and returns it as it is now. A patch that changes nothing writes nothing.
    pub async fn update_partner(
        &self,
        scope: TenantScope,
        (kind, id): (PartnerKind, PartnerId),
        patch: &PartnerPatch,
        origin: &Origin,
    ) -> Result<Partner, LedgerError> {
        self.change(scope, (kind, id), patch, updated(kind), origin).await
    }

    /// Takes a partner out of use. One that is out of use already stays as it is.
    pub async fn deactivate_partner(
        &self,
        scope: TenantScope,
        (kind, id): (PartnerKind, PartnerId),
        origin: &Origin,
    ) -> Result<(), LedgerError> {
        self.change(scope, (kind, id), &PartnerPatch::deactivation(), deactivated(kind), origin).await.map(drop)
    }

    async fn change(
        &self,
        scope: TenantScope,
        (kind, id): (PartnerKind, PartnerId),
        patch: &PartnerPatch,
        action: Action,
        origin: &Origin,
    ) -> Result<Partner, LedgerError> {
        retrying(|| async {
            let tx = self.store.begin(scope).await?;
            let found = tx.partners(kind).find_for_update(id).await?;
            let before = found.ok_or(LedgerError::NotFound(kind.into()))?;
            let mut after = before.patched(patch.clone());
            if after == before {
                return Ok(before);
            }
            let now = self.clock.now();
            after.updated_at = now;
            tx.partners(kind).save(&after).await.map_err(LedgerError::writing(kind.into()))?;
            let mut event = event(action, scope, row(kind, &after), origin);
            (event.before, event.after) = differences(details(&before), details(&after));
            event.personal = PERSONAL;
            tx.record(event, now).await?;
            tx.commit().await?;
            Ok(after)
        })
        .await
    }
}

fn row(kind: PartnerKind, partner: &Partner) -> (LedgerRow, i64) {
    (kind.into(), partner.id.get())
}

const fn created(kind: PartnerKind) -> Action {
    match kind {
        PartnerKind::Customer => Action::CustomerCreated,
        PartnerKind::Supplier => Action::SupplierCreated,
    }
}

const fn updated(kind: PartnerKind) -> Action {
    match kind {
        PartnerKind::Customer => Action::CustomerUpdated,
        PartnerKind::Supplier => Action::SupplierUpdated,
    }
}

const fn deactivated(kind: PartnerKind) -> Action {
    match kind {
        PartnerKind::Customer => Action::CustomerDeactivated,
        PartnerKind::Supplier => Action::SupplierDeactivated,
    }
}

fn details(partner: &Partner) -> Details {
    [
        ("name", Some(partner.name.clone())),
        ("code", partner.code.clone()),
        ("tax_code", partner.tax_code.clone()),
        ("contact_person", partner.contact_person.clone()),
        ("email", partner.email.clone()),
        ("phone", partner.phone.clone()),
        ("address", partner.address.clone()),
        ("term_days", Some(partner.term_days.to_string())),
        ("status", Some(partner.status.to_string())),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
