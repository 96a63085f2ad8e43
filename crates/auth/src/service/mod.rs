//! The authentication service: log in, authenticate, log out, and the organization's own data sheet. It knows no
//! routes; every use case is one transaction, committed in one visible place.
//!
//! ```
//! use std::sync::Arc;
//!
//! use sme_pulse_auth::{
//!     password::{Bcrypt, Passwords, PoolSettings},
//!     service::{AuthParts, AuthService, AuthSettings, ServiceKeys},
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
//!         keys: ServiceKeys::new(secret, None),
//!         settings: AuthSettings::default(),
//!         clock,
//!         rng,
//!     }))
//! }
//! ```

mod audit;
mod authenticate;
mod keys;
mod known_members;
mod known_tokens;
mod log_in;
mod organization;
mod refresh_token;
mod sessions;
mod sign_in;

use std::sync::Arc;

use chrono::Duration;
use sme_pulse_domain::{clock::Clock, ids::UserId, rng::Rng};
use sme_pulse_persistence::{Change, ChangeFeed, Engine, Store};

use crate::{
    password::Passwords,
    token::{Signer, Verifier},
};

pub use audit::{AuditSigner, Erasure, erase_personal_data, sign_checkpoints};
pub use keys::{KEY_BYTES, ServiceKeys};
use keys::{MacKey, Purpose};
use known_members::KnownMembers;
use known_tokens::KnownTokens;
pub use log_in::{LogIn, LogInError, LogInOutcome, Refusal};
pub use organization::OrganizationError;
pub use sessions::SessionError;
pub use sign_in::SignedIn;

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
    /// Keys for everything but access tokens.
    pub keys: ServiceKeys,
    /// Lifetimes and rules.
    pub settings: AuthSettings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub rng: Arc<dyn Rng>,
}

/// Lifetimes and rules.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// How long an access token lives.
    pub token_lifetime: Duration,
    /// How long a session lives without being refreshed.
    pub refresh_idle: Duration,
    /// How long a session lives at the most.
    pub refresh_max: Duration,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::minutes(30),
            refresh_idle: Duration::days(14),
            refresh_max: Duration::days(90),
        }
    }
}

/// The MAC keys in use, derived once.
struct MacKeys {
    refresh_token: MacKey,
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
    keys: MacKeys,
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
        let keys = MacKeys { refresh_token: parts.keys.mac(Purpose::RefreshToken) };
        Self { parts, keys, tokens: KnownTokens::default(), members, feed }
    }

    /// To be called after the commit of every change that decides what a user may do: the next request must see it.
    fn changed(&self, user: UserId) {
        self.members.forget(Change::User(user));
    }
}
