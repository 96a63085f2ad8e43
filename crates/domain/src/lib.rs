//! The rules of SME Pulse: identifiers, money, e-mail addresses, tenants, roles and permissions, and one file per
//! aggregate with its rules and errors. Nothing here does I/O, awaits, or knows HTTP or a database.
//!
//! To add an aggregate: one file with private fields, named rules and an error enum a caller can match on.

pub mod account;
pub mod audit;
pub mod clock;
pub mod email;
pub mod ids;
pub mod money;
pub mod organization;
pub mod partner;
pub mod permission;
pub mod rng;
pub mod role;
pub mod session;
pub mod status;
pub mod tenant;
pub mod text;
pub mod user;
