//! Configuration: one parser and one table of keys. Everything is read, checked and typed once at start and then
//! passed on; nothing else looks at the environment.
//!
//! ```text
//! let variables = Variables::of_process(Path::new("."))?;     // environment, then ./.env   ConfigError: exit code 2
//! let (config, warnings) = Config::load(&variables)?;         //                            ConfigError: exit code 2
//! let key = config.tokens.key.resolve(&rng)?;                 // serve only: may create sme-pulse.secret
//! for (name, shown) in config.effective() { … }               // start-up log; secrets are ***
//! ```
//!
//! To add a variable: a line in `keys.rs`, a read in the section it belongs to, a row in `docs/configuration.md`.

mod collector;
mod database;
mod database_url;
mod error;
mod keys;
mod log;
mod mail;
mod metrics;
mod not_yet;
mod passwords;
mod rate_limit;
mod reader;
mod secret;
mod secret_file;
mod server;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;
mod unknown;
mod variables;

use ipnet::IpNet;

pub use collector::{Collector, Sampling};
pub use database::{Database, DatabaseTarget};
pub use database_url::SecretUrl;
pub use error::{ConfigError, Problem, Warning};
pub use keys::{KEYS, Key};
pub use log::{LogConfig, LogFormat, LogLevel};
pub use mail::{Mail, Smtp, SmtpTls};
pub use not_yet::{NOT_YET, NotYet};
pub use passwords::{HasherKind, Passwords, Seed};
pub use rate_limit::RateLimit;
pub use reader::Setting;
pub use secret::Secret;
pub use secret_file::{FILE_NAME, SecretFileError, load_or_create};
pub use server::{AllowedOrigins, Server};
pub use sessions::Sessions;
pub use tokens::{KeyError, SigningKey, Tokens};
pub use unknown::known;
pub use variables::{Source, Variables};

use reader::Reader;

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which kind of installation this is.
    pub environment: Environment,
    /// The HTTP side.
    pub server: Server,
    /// Storage.
    pub database: Database,
    /// Access tokens.
    pub tokens: Tokens,
    /// The life of sessions.
    pub sessions: Sessions,
    /// Hashing.
    pub passwords: Passwords,
    /// Mail.
    pub mail: Mail,
    /// Where metrics are told: a host, without brackets, and a port; `None` for nowhere.
    pub metrics: Option<(String, u16)>,
    /// Where traces and metrics are sent; `None` for nowhere.
    pub collector: Option<Collector>,
    /// Seeding.
    pub seed: Seed,
    /// Logging.
    pub log: LogConfig,
    /// The request budget.
    pub rate_limit: RateLimit,
    /// Peers whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    shown: Vec<Setting>,
}

/// The name of the kind of installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment(String);

impl Environment {
    /// The name as it was set; shown by `GET /`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether the rules of a developer's machine apply. Exactly three names do, so that a typing error is strict.
    pub fn is_development(&self) -> bool {
        matches!(self.0.as_str(), "dev" | "development" | "local")
    }
}

impl Config {
    /// Reads and checks everything; reports all that is wrong at once. Touches no file.
    pub fn load(variables: &Variables) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut reader = Reader::new(variables);
        let config = Self::read(&mut reader);
        not_yet::check(&mut reader);
        let mut warnings = std::mem::take(&mut reader.warnings);
        warnings.extend(unknown::warnings(variables));
        match config {
            Some(mut config) if reader.problems.is_empty() => {
                config.shown = reader.shown;
                Ok((config, warnings))
            }
            _ => Err(ConfigError(reader.problems)),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let rule = "must be 1 to 64 letters, digits, hyphens, underscores or periods";
        let environment = reader.value(keys::ENVIRONMENT, rule, environment);
        // A name that is refused anyway causes no further complaints.
        let development = environment.as_ref().is_none_or(Environment::is_development);
        let server = server::read(reader, development);
        let database = database::read(reader, development);
        let folder = database.as_ref().map(|database| database.target.data_folder());
        let tokens = tokens::read(reader, development, folder);
        let sessions = sessions::read(reader);
        let passwords = passwords::read(reader, development);
        let mail = mail::read(reader);
        let metrics = metrics::read(reader);
        let collector = collector::read(reader);
        let seed = passwords::seed(reader);
        let log = log::read(reader);
        let rate_limit = rate_limit::read(reader);
        let trusted_proxies = rate_limit::trusted_proxies(reader);
        Some(Self {
            environment: environment?,
            server: server?,
            database: database?,
            tokens: tokens?,
            sessions: sessions?,
            passwords: passwords?,
            mail: mail?,
            metrics: metrics?,
            collector: collector?,
            seed: seed?,
            log: log?,
            rate_limit: rate_limit?,
            trusted_proxies: trusted_proxies?,
            shown: Vec::new(),
        })
    }

    /// Every setting in effect, by name, fit for a log: secrets, and passwords inside URLs, are `***`.
    pub fn effective(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.settings().map(|setting| (setting.name, setting.value.as_str()))
    }

    /// As [`Self::effective`], with where each comes from.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.shown.iter()
    }
}

fn environment(text: &str) -> Option<Environment> {
    let fits = (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    fits.then(|| Environment(text.to_owned()))
}
