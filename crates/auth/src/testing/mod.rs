//! For the tests of services that import this crate: an issuer of one's own, and time that stands still. Not for production: its keys
//! come from a generator that is not made for secrets.
//!
//! ```
//! use std::time::Duration;
//! use sme_pulse_auth::{testing::Issuer, token::TokenError};
//! use sme_pulse_domain::role::Role;
//!
//! let issuer = Issuer::new();
//! let verifier = issuer.verifier();
//! let token = issuer.token().user(7).org(3).roles([Role::Cashier]).mint();
//! assert_eq!(verifier.verify(&token)?.user.get(), 7);
//!
//! issuer.clock().advance(Duration::from_secs(3_600));
//! assert_eq!(verifier.verify(&token), Err(TokenError::Expired.into()));
//! # Ok::<(), sme_pulse_auth::token::VerifyError>(())
//! ```

mod clock;
mod issuer;
mod minting;

pub use clock::FixedClock;
pub use issuer::{AUDIENCE, Issuer, KEEP_SECONDS, NAME};
pub use minting::Minting;
