//! From bodies to new partners and patches.

use sme_pulse_domain::{
    ids::PartnerId,
    partner::{DEFAULT_TERM, MAX_TERM, NewPartner, PartnerPatch},
    status::Status,
    text::{CODE, NAME},
};

use crate::{
    error::ApiError,
    input::{BOOLEAN, Body, EMAIL, Integer, Object, Read, Text, integer, text},
};

/// What customers call their term.
pub(super) const CUSTOMER_TERM: &str = "credit_term";
/// What suppliers call it.
pub(super) const SUPPLIER_TERM: &str = "payment_term";

/// Bounded by the body alone: the column has no limit.
const ADDRESS: Text = text(1, usize::MAX);

fn term() -> Integer {
    integer(0, MAX_TERM.into())
}

/// Fits, since the kind has checked its bounds.
fn days(term: i64) -> i32 {
    i32::try_from(term).unwrap_or(MAX_TERM)
}

pub(super) fn new_partner(body: &Body, term_name: &'static str) -> Result<NewPartner, ApiError> {
    let mut fields = Object::of(body);
    let name = fields.required("name", text(1, NAME));
    let code = fields.optional("code", text(1, CODE));
    let tax_code = fields.optional("tax_code", text(1, CODE));
    let contact_person = fields.optional("contact_person", text(1, NAME));
    let email = fields.optional("email", EMAIL);
    let phone = fields.optional("phone", text(1, CODE));
    let address = fields.optional("address", ADDRESS);
    let term = fields.or(term_name, term(), DEFAULT_TERM.into());
    let is_active = fields.or("is_active", BOOLEAN, true);
    fields.finish(|| {
        Some(NewPartner {
            code: code?,
            name: name?,
            tax_code: tax_code?,
            contact_person: contact_person?,
            email: email?,
            phone: phone?,
            address: address?,
            term_days: days(term?),
            status: Status::of_active(is_active?),
        })
    })
}

pub(super) fn patch(
    mut fields: Object<'_>,
    id: Read<i64>,
    term_name: &'static str,
) -> Result<(PartnerId, PartnerPatch), ApiError> {
    let name = fields.changed("name", text(1, NAME));
    let code = fields.nullable("code", text(1, CODE));
    let tax_code = fields.nullable("tax_code", text(1, CODE));
    let contact_person = fields.nullable("contact_person", text(1, NAME));
    let email = fields.nullable("email", EMAIL);
    let phone = fields.nullable("phone", text(1, CODE));
    let address = fields.nullable("address", ADDRESS);
    let term = fields.changed(term_name, term());
    let is_active = fields.changed("is_active", BOOLEAN);
    fields.finish(|| {
        let patch = PartnerPatch {
            name: name?,
            code: code?,
            tax_code: tax_code?,
            contact_person: contact_person?,
            email: email?,
            phone: phone?,
            address: address?,
            term_days: term?.map(days),
            status: is_active?.map(Status::of_active),
        };
        Some((PartnerId::new(id?), patch))
    })
}
