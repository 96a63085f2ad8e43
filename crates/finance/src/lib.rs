//! The ledgers: what a business owes and is owed. Use cases of partners, accounts, invoices, bills and payments live
//! here, one file each; they open a transaction of the tenant, load, apply a rule of the domain, save and commit. They
//! know no HTTP.
//!
//! So far the schema and the demo rows of partners and accounts exist, so this crate names only their types.

pub use sme_pulse_domain::{
    account::{AccountType, NewAccount},
    money::{Money, MoneyError},
    partner::NewPartner,
};
