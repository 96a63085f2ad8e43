//! What the repository needs to know of a table of partners, said once for both.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, IntoActiveModel, NotSet};
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, PartnerId},
    partner::{NewPartner, Partner},
};

use crate::{
    StoreError,
    entity::{TenantOwned, customer, supplier},
};

/// A table of partners: its columns, and its rows to values and back.
pub(crate) trait PartnerTable:
    TenantOwned<Model: IntoActiveModel<<Self as sea_orm::EntityTrait>::ActiveModel> + Send + Sync>
{
    const ID: Self::Column;
    const NAME: Self::Column;
    const CODE: Self::Column;
    const TAX_CODE: Self::Column;
    const STATUS: Self::Column;
    const CREATED_AT: Self::Column;

    fn partner(row: Self::Model) -> Result<Partner, StoreError>;

    fn new_row(org: OrgId, new: &NewPartner, now: DateTime<Utc>) -> Self::ActiveModel;

    /// The columns that may change.
    fn changes(partner: &Partner) -> Self::ActiveModel;
}

macro_rules! partner_table {
    ($entity:ident) => {
        impl PartnerTable for $entity::Entity {
            const ID: Self::Column = $entity::Column::Id;
            const NAME: Self::Column = $entity::Column::Name;
            const CODE: Self::Column = $entity::Column::Code;
            const TAX_CODE: Self::Column = $entity::Column::TaxCode;
            const STATUS: Self::Column = $entity::Column::Status;
            const CREATED_AT: Self::Column = $entity::Column::CreatedAt;

            fn partner(row: Self::Model) -> Result<Partner, StoreError> {
                Ok(Partner {
                    id: PartnerId::new(row.id),
                    org: OrgId::new(row.org_id),
                    status: row.status.parse().map_err(|_| StoreError::Unreadable("status"))?,
                    name: row.name,
                    code: row.code,
                    tax_code: row.tax_code,
                    contact_person: row.contact_person,
                    email: row.email,
                    phone: row.phone,
                    address: row.address,
                    term_days: row.term_days,
                    created_at: row.created_at,
                    updated_at: row.updated_at,
                })
            }

            fn new_row(org: OrgId, new: &NewPartner, now: DateTime<Utc>) -> Self::ActiveModel {
                $entity::ActiveModel {
                    id: NotSet,
                    org_id: Set(org.get()),
                    code: Set(new.code.clone()),
                    name: Set(new.name.clone()),
                    tax_code: Set(new.tax_code.clone()),
                    contact_person: Set(new.contact_person.clone()),
                    email: Set(new.email.as_ref().map(Email::as_str).map(str::to_owned)),
                    phone: Set(new.phone.clone()),
                    address: Set(new.address.clone()),
                    term_days: Set(new.term_days),
                    status: Set(new.status.as_str().to_owned()),
                    created_at: Set(now),
                    updated_at: Set(now),
                }
            }

            fn changes(partner: &Partner) -> Self::ActiveModel {
                $entity::ActiveModel {
                    id: NotSet,
                    org_id: NotSet,
                    code: Set(partner.code.clone()),
                    name: Set(partner.name.clone()),
                    tax_code: Set(partner.tax_code.clone()),
                    contact_person: Set(partner.contact_person.clone()),
                    email: Set(partner.email.clone()),
                    phone: Set(partner.phone.clone()),
                    address: Set(partner.address.clone()),
                    term_days: Set(partner.term_days),
                    status: Set(partner.status.as_str().to_owned()),
                    created_at: NotSet,
                    updated_at: Set(partner.updated_at),
                }
            }
        }
    };
}

partner_table!(customer);
partner_table!(supplier);
