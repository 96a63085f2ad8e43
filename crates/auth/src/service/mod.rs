//! The authentication service: log-in, sessions, passwords, the second factor, what slows guesses down, the people of an
//! organization, their keys for programs, the audit trail as its readers see it, the organization's own data sheet, and how people and
//! organizations come in: invitations, sign-ups, switching. It knows no routes; every use case is one transaction,
//! committed in one visible place.
//!
//! ```
//! use std::sync::Arc;
//!
//! use sme_pulse_auth::{
//!     mail::Mailer,
//!     password::{Bcrypt, Passwords, PoolSettings},
//!     service::{AuthParts, AuthService, AuthSettings, ServiceKeys, TokenKeys},
//!     token::{Algorithm, Signer, Verifier},
//! };
//! use sme_pulse_domain::{clock::SystemClock, rng::Rng};
//! use sme_pulse_persistence::Store;
//!
//! fn service(store: Store, secret: &[u8], rng: Arc<dyn Rng>, mailer: Arc<dyn Mailer>) -> std::io::Result<AuthService> {
//!     let clock = Arc::new(SystemClock::default());
//!     let pool = PoolSettings::for_threads(1);
//!     Ok(AuthService::new(AuthParts {
//!         store,
//!         passwords: Passwords::start(Bcrypt::new(12), pool, clock.clone(), Arc::clone(&rng))?,
//!         tokens: TokenKeys::new(
//!             Signer::new(secret, Algorithm::Hs256, "sme-pulse", "sme-pulse-api"),
//!             Verifier::new(secret, Algorithm::Hs256).issuer("sme-pulse").audience("sme-pulse-api"),
//!         ),
//!         keys: ServiceKeys::new(secret, None),
//!         settings: AuthSettings::default(),
//!         mailer,
//!         clock,
//!         rng,
//!     }))
//! }
//! ```

mod api_keys;
mod applicants;
mod audit;
mod authenticate;
mod change_password;
mod device;
mod errands;
mod factor;
mod figures;
mod guesses;
mod housekeeping;
mod invitations;
mod key_set;
mod keys;
mod known_members;
mod known_tokens;
mod last_seen;
mod log_in;
mod mail_texts;
mod news;
mod one_time_token;
mod organization;
mod organization_status;
mod password_error;
mod places;
mod refresh;
mod refresh_token;
mod reset_password;
mod reset_request;
mod revocations;
mod sealer;
mod sessions;
mod sign_in;
mod sign_up;
// What callers see is a matter of the guard.
#[cfg(any(feature = "actix", feature = "axum"))]
mod token_desk;
mod token_keys;
mod users;

use std::sync::Arc;

use chrono::Duration;
use sme_pulse_domain::{
    clock::Clock,
    ids::{SessionId, UserId},
    password_rules::PasswordRules,
    rng::Rng,
    user::User,
};
use sme_pulse_persistence::{Change, ChangeFeed, Engine, Store, StoreError};

use crate::{
    Principal,
    mail::Mailer,
    password::{Passwords, PoolFigures},
    token::Algorithm,
};

use api_keys::KnownKeys;
pub use api_keys::{
    ApiKeyError, CreateApiKey, MadeApiKey, NewAccount, ServiceAccountError, create_service_account,
    revoke_service_account, service_accounts,
};
use applicants::MailDomains;
pub use audit::{AuditSigner, ChainError, Erasure, check_chain, erase_personal_data, sign_checkpoints};
pub use change_password::ChangePassword;
use errands::Errands;
pub use errands::ErrandsFull;
use factor::FactorCipher;
pub use factor::{
    CodeAttempt, Completed, Enrolment, FactorError, FactorRefusal, FactorStatus, PendingLogIn, RECENT_MINUTES,
    RecoveryCodes, ShownProof,
};
use figures::Counts;
pub use figures::{AuthFigures, Counted};
use guesses::GuessBook;
pub use invitations::{AcceptInvitation, InvitationError, Invite, OpenInvitation};
pub use key_set::{ChangedKeys, KeySet, KeySetError};
use key_set::{KeyReader, Setting};
pub use keys::{KEY_BYTES, ServiceKeys};
use keys::{MacKey, Purpose};
use known_members::KnownMembers;
use known_tokens::KnownTokens;
use last_seen::{LastSeen, UsedKey};
pub use log_in::{LogIn, LogInError, LogInOutcome, Refusal};
use news::News;
pub use organization::OrganizationError;
pub use organization_status::set_organization_status;
pub use password_error::PasswordError;
pub use places::SwitchError;
pub use refresh::{PresentedRefresh, RefreshError, RefreshRefusal};
pub use reset_password::ResetPassword;
pub use reset_request::ResetRequest;
use revocations::{Hub, Position};
pub use revocations::{Progress as RevocationProgress, RevocationMessage, RevocationNews, RevocationsError};
pub use sessions::SessionError;
pub use sign_in::{AccessToken, SignedIn};
pub use sign_up::{Founded, SignUp, SignUpError, SignedUp};
#[cfg(any(feature = "actix", feature = "axum"))]
pub use token_desk::{Inspected, InspectedKind, TokenRevoked};
pub use token_keys::TokenKeys;
pub use users::{
    CreateUser, NewOwner, OwnerHome, SetPassword, UpdatedUser, UserError, create_owner, import_users, people_of,
    set_password, set_user_status, temporary_password,
};

/// Everything the service is made of.
pub struct AuthParts {
    /// The database.
    pub store: Store,
    /// Password hashing.
    pub passwords: Passwords,
    /// Makes and checks access tokens: at first with the shared secret, which later signs alone, beside a key set, or not at
    /// all.
    pub tokens: TokenKeys,
    /// Keys for everything but access tokens.
    pub keys: ServiceKeys,
    /// Lifetimes and rules.
    pub settings: AuthSettings,
    /// Carries mails.
    pub mailer: Arc<dyn Mailer>,
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
    /// Whether repeated wrong guesses at one account are slowed down.
    pub slow_guesses: bool,
    /// Least length of new passwords in characters.
    pub password_min_characters: usize,
    /// The base of links in mails, without a slash at its end.
    pub public_url: String,
    /// Whether who signs up must confirm the address before there is an organization.
    pub confirm_sign_ups: bool,
    /// What the keys are used with that sign access tokens; `None` to sign with the shared secret.
    pub key_algorithm: Option<Algorithm>,
    /// How long a key signs before the next one does; `None` until somebody says so.
    pub key_rotation: Option<Duration>,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::minutes(30),
            refresh_idle: Duration::days(14),
            refresh_max: Duration::days(90),
            slow_guesses: true,
            password_min_characters: 8,
            public_url: "http://localhost:3000".to_owned(),
            confirm_sign_ups: true,
            key_algorithm: None,
            key_rotation: Some(Duration::days(90)),
        }
    }
}

/// The MAC keys in use, derived once.
struct MacKeys {
    refresh_token: MacKey,
    device_token: MacKey,
}

impl MacKeys {
    fn derive(keys: &ServiceKeys) -> Self {
        Self { refresh_token: keys.mac(Purpose::RefreshToken), device_token: keys.mac(Purpose::DeviceToken) }
    }
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
    factors: FactorCipher,
    guesses: GuessBook,
    known: KnownTokens,
    members: Arc<KnownMembers>,
    known_keys: Arc<KnownKeys>,
    news: Arc<News>,
    feed: Arc<ChangeFeed>,
    key_reader: Arc<KeyReader>,
    follower: tokio::task::JoinHandle<()>,
    revocations: Arc<Hub>,
    /// Keeps the list of revocations up to date.
    reader: tokio::task::JoinHandle<()>,
    seen: LastSeen<SessionId>,
    keys_used: LastSeen<UsedKey>,
    errands: Errands,
    mail_domains: MailDomains,
    counts: Counts,
}

impl AuthService {
    /// A service made of these parts. It starts to follow changes made elsewhere and to send mails, so it needs a Tokio
    /// runtime.
    pub fn new(parts: AuthParts) -> Self {
        let time_to_live = time_to_live(parts.store.engine());
        let (members, known_keys) = (Arc::new(KnownMembers::new(time_to_live)), Arc::new(KnownKeys::new(time_to_live)));
        let news = Arc::new(News::default());
        let (told, told_too, waiting) = (Arc::clone(&members), Arc::clone(&known_keys), Arc::clone(&news));
        let feed = parts.store.follow_changes(Arc::new(move |change| {
            told.forget(change);
            told_too.forget(change);
            waiting.tell(change);
        }));
        let feed = Arc::new(feed);
        let key_reader = Arc::new(key_reader(&parts));
        let follower = tokio::spawn(Arc::clone(&key_reader).follow(Arc::clone(&feed), Arc::clone(&news)));
        let revocations = Hub::new(&parts);
        let reader = tokio::spawn(revocations::keep_reading(Arc::clone(&revocations), Arc::clone(&news)));
        let keys = MacKeys::derive(&parts.keys);
        let factors = FactorCipher::new(&parts.keys);
        let guesses = GuessBook::new(&parts);
        let errands = Errands::start(&parts, guesses.clone());
        let (known, seen, keys_used) = (KnownTokens::default(), LastSeen::default(), LastSeen::default());
        Self {
            parts,
            keys,
            factors,
            guesses,
            known,
            members,
            known_keys,
            news,
            feed,
            key_reader,
            follower,
            revocations,
            reader,
            seen,
            keys_used,
            errands,
            mail_domains: MailDomains::default(),
            counts: Counts::default(),
        }
    }

    /// The bounds of new passwords.
    pub fn password_rules(&self) -> PasswordRules {
        let min_characters = self.parts.settings.password_min_characters;
        PasswordRules { min_characters, max_bytes: self.parts.passwords.max_bytes() }
    }

    /// What the hashing threads and their queue are doing.
    pub fn hashing(&self) -> PoolFigures {
        self.parts.passwords.figures()
    }

    /// The keys of access tokens, which can be replaced meanwhile.
    pub const fn token_keys(&self) -> &TokenKeys {
        &self.parts.tokens
    }

    /// Takes no more errands and sends the mails that wait, for so long at the most. To be called at the end.
    pub async fn finish_errands(&self, patience: std::time::Duration) {
        self.errands.finish(patience).await;
    }

    /// To be called after the commit of every change that decides what a user may do: the next request must see it.
    fn changed(&self, user: UserId) {
        self.members.forget(Change::User(user));
        self.revocations.expect();
        self.known_keys.forget(Change::User(user));
        self.news.tell(Change::Revocations);
    }
}

impl Drop for AuthService {
    fn drop(&mut self) {
        self.follower.abort();
        self.reader.abort();
    }
}

fn key_reader(parts: &AuthParts) -> KeyReader {
    let AuthParts { store, tokens, keys, settings, clock, rng, .. } = parts;
    let set = KeySet::new(store.clone(), keys, Arc::clone(clock), Arc::clone(rng));
    let setting = Setting {
        algorithm: settings.key_algorithm,
        secret_signer: (*tokens.signer()).clone(),
        secret: tokens.verifier().keys().find(None).cloned(),
    };
    KeyReader::new(set, (setting, settings.key_rotation), tokens.clone())
}

/// The profile of a caller whom this service has authenticated; others have none.
fn profile(caller: &Principal) -> Result<&User, StoreError> {
    caller.user().ok_or(StoreError::Unreadable("caller"))
}
