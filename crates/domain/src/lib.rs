//! The rules of SME Pulse: identifiers, money, e-mail addresses, tenants, roles and permissions, and one file per
//! aggregate with its rules and errors. Nothing here does I/O, awaits, or knows HTTP or a database.
//!
//! Values are checked where they are made, so a function that takes one need not check again:
//!
//! ```
//! use sme_pulse_domain::{email::Email, money::Money, permission::Permission, role::{Role, RoleSet}};
//!
//! assert_eq!(Email::parse(" Admin@SME.com")?.as_str(), "admin@sme.com");
//! assert_eq!("1250.5".parse::<Money>()?.minor(), 125_050);
//!
//! let roles: RoleSet = [Role::Cashier].into_iter().collect();
//! assert!(!Permission::WriteOrganization.granted_to(&roles));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! To add an aggregate: one file with its type, named rules and an error enum a caller can match on.

pub mod account;
pub mod api_key;
pub mod audit;
pub mod clock;
pub mod email;
pub mod guessing;
pub mod hex;
pub mod ids;
pub mod invitation;
pub mod method;
pub mod money;
pub mod network;
pub mod organization;
pub mod partner;
pub mod password_rules;
pub mod permission;
pub mod permission_set;
pub mod person;
pub mod refresh;
pub mod rng;
pub mod role;
pub mod session;
pub mod signing_key;
pub mod status;
pub mod tenant;
pub mod text;
pub mod user;
