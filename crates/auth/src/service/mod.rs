//! The authentication service: log in, authenticate, log out, and the organization's own data sheet. It knows no
//! routes; every use case is one transaction, committed in one visible place.

mod authenticate;
mod log_in;
mod log_out;
mod organization;

use std::sync::Arc;

use chrono::Duration;
use sme_pulse_domain::{clock::Clock, rng::Rng};
use sme_pulse_persistence::Store;

use crate::{
    password::Passwords,
    token::{Signer, Verifier},
};

pub use log_in::{LogIn, LogInError, LoggedIn, Refusal};
pub use organization::OrganizationError;

/// Everything the service is made of.
pub struct AuthParts {
    /// The database.
    pub store: Store,
    /// Password hashing.
    pub passwords: Passwords,
    /// Makes tokens.
    pub signer: Signer,
    /// Checks tokens.
    pub verifier: Verifier,
    /// How long an access token lives.
    pub token_lifetime: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub rng: Arc<dyn Rng>,
}

/// The service. Share it behind an `Arc`.
pub struct AuthService {
    parts: AuthParts,
}

impl AuthService {
    /// A service made of these parts.
    pub const fn new(parts: AuthParts) -> Self {
        Self { parts }
    }
}
