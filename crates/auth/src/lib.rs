//! Trust the tokens of SME Pulse in another service, and sign people in.
//!
//! | feature | adds |
//! |---|---|
//! | none (default) | [`token::Verifier`], [`Principal`], [`AccessError`]: no database, no HTTP, no password hashing |
//! | `actix` | `guard`: extractors that name the permission a handler needs |
//! | `service` | `service` and `password`: log-in, sessions, hashing on its own bounded pool (needs the database) |
//!
//! ```
//! use sme_pulse_auth::token::{Algorithm, Verifier};
//!
//! let verifier = Verifier::new(b"a secret of at least 32 random bytes", Algorithm::Hs256)
//!     .issuer("sme-pulse")
//!     .audience("sme-pulse-api")
//!     .leeway_seconds(5);
//! let refused = verifier.verify("not.a.token", 1_700_000_000);
//! assert!(refused.is_err());
//! ```

mod access;
#[cfg(feature = "actix")]
pub mod guard;
#[cfg(feature = "service")]
pub mod password;
mod principal;
#[cfg(feature = "service")]
pub mod service;
pub mod token;

pub use access::AccessError;
pub use principal::{Member, Principal};
