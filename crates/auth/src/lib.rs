//! Trust the tokens of SME Pulse in another service, and sign people in.
//!
//! Ten lines trust an installation: keys are fetched and their rotation followed, and what the issuer takes back is refused within a second.
//! No request waits for the issuer, unless its token names a key that nobody has seen before.
//!
#![cfg_attr(feature = "remote", doc = "```no_run")]
#![cfg_attr(not(feature = "remote"), doc = "```ignore")]
//! use std::time::Duration;
//! use sme_pulse_auth::{remote::{FeedLoss, Remote}, token::Verifier};
//!
//! # async fn start(api_key: String, token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::builder()
//!     .issuer("sme-pulse")
//!     .audience("sme-pulse-api")
//!     .remote(
//!         Remote::at("https://auth.example.com")
//!             .follow_revocations(api_key, FeedLoss::RefuseAfter(Duration::from_secs(10))),
//!     )
//!     .build()?;
//! verifier.ready().await;
//! let caller = verifier.verify_fresh(token).await?;
//! println!("user {} of organization {}", caller.user, caller.org);
//! # Ok(())
//! # }
//! ```
//!
//! With the secret of an installation (`BACKEND_SECRET_KEY`) nothing is fetched. Who has it can make tokens as well:
//!
//! ```
//! use sme_pulse_auth::token::{Algorithm, TokenError, Verifier};
//!
//! let verifier = Verifier::builder()
//!     .shared_secret(b"a secret of at least 32 random bytes", Algorithm::Hs256)
//!     .issuer("sme-pulse")
//!     .audience("sme-pulse-api")
//!     .build()?;
//! assert_eq!(verifier.verify("not.a.token"), Err(TokenError::Malformed.into()));
//! # Ok::<(), sme_pulse_auth::BuildError>(())
//! ```
//!
//! A complete service is `examples/ledger_service.rs`.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | none (default) | [`token::Verifier`], [`revocation::Follower`], [`Principal`], [`AccessError`]: no database, no HTTP, no password hashing |
//! | `remote` | `remote`: fetching keys and following revocations (tokio, hyper, rustls with ring) |
//! | `actix` | `guard`: extractors that name the permission a handler needs, for actix-web |
//! | `axum` | the same extractors for axum 0.8; with `actix` or without |
//! | `testing` | `testing`: an issuer and a clock for the tests of a service |
//! | `sign` | `token::Signer` and private keys, for issuers |
//! | `service` | `service`, `password` and `mail`: log-in, sessions, passwords, second factor, audit trail (needs the database) |
//!
//! # What a failure means
//!
//! | [`token::VerifyError`] | meaning | answer |
//! |---|---|---|
//! | `Refused(TokenError)` | the token is no good: forged, expired, of another issuer, or taken back | 401; the reason is for the log |
//! | `Undecided(KeysUnavailable)` | it names a key that is not known, and the issuer cannot be asked | 503 |
//! | `Undecided(KeysTooOld)` | the issuer has been away for longer than [`outage`](#failures-of-the-issuer) allows | 503 |
//! | `Undecided(FeedLost)` | nothing has been heard of revocations for as long as `RefuseAfter` allows | 503 |
//!
//! # Failures of the issuer
//!
//! Keys are used for `outage` (24 h) after they were fetched last. What a lost feed does is the service's to say: `RefuseAfter` misses no
//! revocation for longer than that, `GoOn` does not notice an outage and accepts a revoked token until it expires (half an hour, if
//! the installation has not been told otherwise). `Verifier::status` tells how it is going.
//!
//! # What it protects against, and what not
//!
//! - Forged, cut, duplicated, oversized and wrongly typed tokens; a header that chooses algorithm or key. The key fixes the algorithm.
//! - Floods of unknown keys: one fetch per cool-down. Key sets and feeds that are too long, too slow, broken or not genuine change nothing.
//! - A feed that is replayed, reordered, held back or cut: what a genuine message took back stays so, and silence is noticed.
//! - Not: whoever can answer in the issuer's name over TLS, or has its keys. Without TLS anybody on the way can; that needs to be allowed.
//! - Roles are those of the token: a role that is taken away revokes it, one that is given shows in the next. A step-up cannot be seen.

mod access;
mod builder;
#[cfg(any(feature = "actix", feature = "axum"))]
pub mod guard;
#[cfg(feature = "service")]
pub mod mail;
#[cfg(feature = "service")]
pub mod password;
mod principal;
#[cfg(feature = "remote")]
pub mod remote;
pub mod revocation;
#[cfg(feature = "service")]
pub mod service;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;

pub use access::{AccessError, KeyRefusal};
pub use builder::{BuildError, VerifierBuilder};
pub use principal::{KeyGrant, Member, Principal};

/// Compiles the examples of the repository's README, which is no part of the package.
#[cfg(all(doctest, feature = "remote", feature = "testing"))]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
