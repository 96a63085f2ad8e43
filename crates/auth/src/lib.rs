//! Trust the tokens of SME Pulse in another service, and sign people in.
//!
//! | feature | adds |
//! |---|---|
//! | none (default) | [`token::Verifier`], [`Principal`], [`AccessError`]: no database, no HTTP, no password hashing |
//! | `actix` | `guard`: extractors that name the permission a handler needs |
//! | `service` | `service`, `password` and `mail`: log-in, sessions, passwords, second factor, audit trail (needs the database) |
//!
//! A service that only has to know who sent a token verifies it with the secret of the installation
//! (`BACKEND_SECRET_KEY`), its algorithm, issuer and audience:
//!
//! ```
//! use std::time::{SystemTime, UNIX_EPOCH};
//!
//! use sme_pulse_auth::token::{Algorithm, TokenError, Verifier};
//!
//! let verifier = Verifier::new(b"a secret of at least 32 random bytes", Algorithm::Hs256)
//!     .issuer("sme-pulse")
//!     .audience("sme-pulse-api")
//!     .leeway_seconds(5);
//! let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().try_into()?;
//! assert_eq!(verifier.verify("not.a.token", now), Err(TokenError::Malformed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A genuine token gives [`token::AccessClaims`]: user, organization, session. That is what held at the log-in. Whether the
//! session still lives, and which roles are held *now*, only the server's own state tells: ask `GET /api/v1/auth/me` with
//! the token, or use the feature `service` over the same database. Roles are not among the claims for that reason.

mod access;
#[cfg(feature = "actix")]
pub mod guard;
#[cfg(feature = "service")]
pub mod mail;
#[cfg(feature = "service")]
pub mod password;
mod principal;
#[cfg(feature = "service")]
pub mod service;
pub mod token;

pub use access::AccessError;
pub use principal::{Member, Principal};

/// Compiles the examples of the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
