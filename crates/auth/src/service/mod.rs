//! The authentication service: log in, authenticate, log out, and the organization's own data sheet. It knows no
//! routes; every use case is one transaction, committed in one visible place.
//!
//! ```
//! use std::sync::Arc;
//!
//! use sme_pulse_auth::{
//!     password::{Bcrypt, Passwords, PoolSettings},
//!     service::{AuthParts, AuthService},
//!     token::{Algorithm, Signer, Verifier},
//! };
//! use sme_pulse_domain::{clock::SystemClock, rng::Rng};
//! use sme_pulse_persistence::Store;
//!
//! fn service(store: Store, secret: &[u8], rng: Arc<dyn Rng>) -> std::io::Result<AuthService> {
//!     let clock = Arc::new(SystemClock::default());
//!     let pool = PoolSettings::for_threads(1);
//!     Ok(AuthService::new(AuthParts {
//!         store,
//!         passwords: Passwords::start(Bcrypt::new(12), pool, clock.clone(), Arc::clone(&rng))?,
//!         signer: Signer::new(secret, Algorithm::Hs256, "sme-pulse", "sme-pulse-api"),
//!         verifier: Verifier::new(secret, Algorithm::Hs256).issuer("sme-pulse").audience("sme-pulse-api"),
//!         token_lifetime: chrono::Duration::minutes(30),
//!         clock,
//!         rng,
//!     }))
//! }
//! ```

mod authenticate;
mod known_members;
mod known_tokens;
mod log_in;
mod organization;
mod sessions;

use std::sync::Arc;

use chrono::Duration;
use sme_pulse_domain::{clock::Clock, ids::UserId, rng::Rng};
use sme_pulse_persistence::{Change, ChangeFeed, Engine, Store};

use crate::{
    password::Passwords,
    token::{Signer, Verifier},
};

use known_members::KnownMembers;
use known_tokens::KnownTokens;
pub use log_in::{LogIn, LogInError, LoggedIn, Refusal};
pub use organization::OrganizationError;
pub use sessions::SessionError;

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

/// How long what is remembered of a caller is believed. The feed of changes is much faster; this bounds what it could
/// miss: on SQLite a commit within one tick of the file system's clock, on PostgreSQL nothing that is known.
const fn time_to_live(engine: Engine) -> std::time::Duration {
    match engine {
        Engine::Sqlite => std::time::Duration::from_secs(1),
        Engine::Postgres => std::time::Duration::from_secs(30),
    }
}

/// The service. Share it behind an `Arc`.
pub struct AuthService {
    parts: AuthParts,
    tokens: KnownTokens,
    members: Arc<KnownMembers>,
    feed: ChangeFeed,
}

impl AuthService {
    /// A service made of these parts. It starts to follow changes made elsewhere, so it needs a Tokio runtime.
    pub fn new(parts: AuthParts) -> Self {
        let members = Arc::new(KnownMembers::new(time_to_live(parts.store.engine())));
        let told = Arc::clone(&members);
        let feed = parts.store.follow_changes(Arc::new(move |change| told.forget(change)));
        Self { parts, tokens: KnownTokens::default(), members, feed }
    }

    /// To be called after the commit of every change that decides what a user may do: the next request must see it.
    fn changed(&self, user: UserId) {
        self.members.forget(Change::User(user));
    }
}
