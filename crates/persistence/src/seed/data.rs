//! The seed rows themselves.

use sme_pulse_domain::{
    account::{AccountKind, LedgerClass, NewAccount},
    money::Money,
    partner::NewPartner,
    role::Role,
    status::Status,
};

/// The log-in name of the demo administrator.
pub const ADMIN_EMAIL: &str = "admin@sme.com";
pub(super) const ADMIN_NAME: &str = "Administrator";
pub(super) const ADMIN_ROLES: [Role; 2] = [Role::Owner, Role::Admin];

pub(super) const ORG_NAME: &str = "SME Demo Company";
pub(super) const ORG_TAX_CODE: &str = "1234567890";
pub(super) const ORG_ADDRESS: &str = "123 Business Street";
pub(super) const ORG_PHONE: &str = "0123456789";
pub(super) const ORG_EMAIL: &str = "contact@sme.com";

pub(super) fn customers() -> [NewPartner; 2] {
    [partner("CUS001", "Tech Corp", "C001", "John Doe", 30), partner("CUS002", "Retail Ltd", "C002", "Jane Smith", 45)]
}

pub(super) fn suppliers() -> [NewPartner; 2] {
    [
        partner("SUP001", "Supply Co", "S001", "Bob Wilson", 30),
        partner("SUP002", "Material Inc", "S002", "Alice Brown", 15),
    ]
}

pub(super) fn accounts() -> [NewAccount; 2] {
    let cash = NewAccount {
        code: Some("1001".to_owned()),
        name: "Cash on Hand".to_owned(),
        kind: AccountKind::Cash,
        class: LedgerClass::Asset,
        account_number: None,
        bank_name: None,
        opening_balance: Money::ZERO,
        status: Status::Active,
    };
    let bank = NewAccount {
        code: Some("1002".to_owned()),
        name: "Bank Account".to_owned(),
        kind: AccountKind::Bank,
        account_number: Some("0123456789".to_owned()),
        bank_name: Some("Vietcombank".to_owned()),
        ..cash.clone()
    };
    [cash, bank]
}

fn partner(code: &str, name: &str, tax_code: &str, contact: &str, term_days: i32) -> NewPartner {
    NewPartner {
        code: Some(code.to_owned()),
        name: name.to_owned(),
        tax_code: Some(tax_code.to_owned()),
        contact_person: Some(contact.to_owned()),
        email: None,
        phone: None,
        address: None,
        term_days,
        status: Status::Active,
    }
}
