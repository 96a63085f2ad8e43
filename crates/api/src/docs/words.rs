//! Words that bodies take, as the OpenAPI document lists them: those of the domain, for `value_type` of a described field.

use sme_pulse_domain::{
    account::LedgerClass, api_key::FOR_API_KEYS, permission::Permission, role::Role, status::Status,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, schema::Schema, schema::Type},
};

fn one_of(words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

/// What somebody may do.
#[derive(Debug)]
pub struct RoleName;

impl PartialSchema for RoleName {
    fn schema() -> RefOr<Schema> {
        one_of(Role::ALL.map(Role::code))
    }
}

impl ToSchema for RoleName {}

/// Whether somebody may log in.
#[derive(Debug)]
pub struct UserStatusName;

impl PartialSchema for UserStatusName {
    fn schema() -> RefOr<Schema> {
        one_of([Status::Active, Status::Inactive].map(Status::as_str))
    }
}

impl ToSchema for UserStatusName {}

/// Class of an account in the ledger.
#[derive(Debug)]
pub struct AccountClassName;

impl PartialSchema for AccountClassName {
    fn schema() -> RefOr<Schema> {
        one_of(LedgerClass::ALL.map(LedgerClass::as_str))
    }
}

impl ToSchema for AccountClassName {}

/// What a key for a program may do.
#[derive(Debug)]
pub struct KeyPermission;

impl PartialSchema for KeyPermission {
    fn schema() -> RefOr<Schema> {
        one_of(FOR_API_KEYS.map(Permission::code))
    }
}

impl ToSchema for KeyPermission {}
