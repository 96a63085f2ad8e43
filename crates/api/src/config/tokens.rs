//! How access tokens are signed and how long they live.

use std::{path::PathBuf, time::Duration};

use sme_pulse_auth::token::Algorithm;
use sme_pulse_domain::rng::Rng;

use super::{
    error::ConfigError,
    keys::{ACCESS_MINUTES, ALGORITHM, AUDIENCE, ENCRYPTION_KEY, ISSUER, KEY_ROTATION_DAYS, Key, LEEWAY, SECRET_KEY},
    reader::Reader,
    secret::{Secret, weakness},
    secret_file::{self, SecretFileError},
};

/// What the cipher's key is derived from should hold as much as it does.
const LEAST_ENCRYPTION_BYTES: usize = 32;

/// The token settings.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Where the signing key is.
    pub key: SigningKey,
    /// What secrets at rest are encrypted with, instead of a key derived from the signing key.
    pub encryption: Option<Secret>,
    /// What tokens are signed with: the key above, or a key set.
    pub algorithm: Algorithm,
    /// Days after which the next key of a set signs; 0 for never.
    pub rotation_days: u32,
    /// Life of an access token.
    pub lifetime: Duration,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// Tolerance for `exp` and `nbf`.
    pub leeway: Duration,
}

/// The least length of the secret. A key shorter than the hash weakens it (RFC 7518 section 3.2); where key pairs sign, other
/// keys are derived from it.
const fn least_key_bytes(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Hs256 | Algorithm::EdDsa | Algorithm::Es256 => 32,
        Algorithm::Hs384 => 48,
        Algorithm::Hs512 => 64,
    }
}

/// Where the signing key is. Reading a configuration creates nothing; [`SigningKey::resolve`] does.
#[derive(Debug, Clone)]
pub enum SigningKey {
    /// Given by `BACKEND_SECRET_KEY`.
    Configured(Secret),
    /// Development without a given key: kept in a file in this folder.
    Kept(PathBuf),
    /// Outside development without a given key: nothing that needs a key can start.
    Missing,
}

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// None is configured; exit code 2.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// None can be kept; exit code 1.
    #[error(transparent)]
    File(#[from] SecretFileError),
}

impl SigningKey {
    /// The key if there is one now; makes none.
    pub fn existing(&self) -> Result<Option<Secret>, KeyError> {
        match self {
            Self::Configured(secret) => Ok(Some(secret.clone())),
            Self::Kept(folder) => Ok(secret_file::load_existing(folder)?),
            Self::Missing => Ok(None),
        }
    }

    /// Whether there will be one: a missing key is a mistake of the configuration.
    pub fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::Configured(_) | Self::Kept(_) => Ok(()),
            Self::Missing => Err(missing()),
        }
    }

    /// The key; makes and keeps one in development. For commands that sign or verify only.
    pub fn resolve(&self, rng: &dyn Rng) -> Result<Secret, KeyError> {
        match self {
            Self::Configured(secret) => Ok(secret.clone()),
            Self::Kept(folder) => Ok(secret_file::load_or_create(folder, rng)?),
            Self::Missing => Err(missing().into()),
        }
    }
}

fn missing() -> ConfigError {
    ConfigError::one(SECRET_KEY.name, "must be set outside development")
}

pub(super) fn read(reader: &mut Reader<'_>, development: bool, folder: Option<PathBuf>) -> Option<Tokens> {
    let algorithm = reader.value(ALGORITHM, "must be HS256, HS384, HS512, EdDSA or ES256", Algorithm::named);
    let key = key(reader, development, algorithm.unwrap_or(Algorithm::Hs256), folder);
    let encryption = encryption(reader, development);
    let rotation_days = reader.number(KEY_ROTATION_DAYS, 0..=3_650_u32);
    let lifetime = reader.number(ACCESS_MINUTES, 1..=1440_u64).map(|minutes| Duration::from_secs(minutes * 60));
    let issuer = reader.word(ISSUER);
    let audience = reader.word(AUDIENCE);
    let leeway = reader.number(LEEWAY, 0..=300_u64).map(Duration::from_secs);
    Some(Tokens {
        key: key?,
        encryption: encryption?,
        algorithm: algorithm?,
        rotation_days: rotation_days?,
        lifetime: lifetime?,
        issuer: issuer?,
        audience: audience?,
        leeway: leeway?,
    })
}

fn key(
    reader: &mut Reader<'_>,
    development: bool,
    algorithm: Algorithm,
    folder: Option<PathBuf>,
) -> Option<SigningKey> {
    let Some(text) = reader.given(SECRET_KEY) else {
        reader.show(SECRET_KEY, if development { "(generated)" } else { "" });
        return if development { folder.map(SigningKey::Kept) } else { Some(SigningKey::Missing) };
    };
    secret(reader, SECRET_KEY, text, (least_key_bytes(algorithm), development)).map(SigningKey::Configured)
}

/// The inner `None` is no key, which is allowed.
#[expect(clippy::option_option, reason = "the outer one says whether the value is good, as everywhere here")]
fn encryption(reader: &mut Reader<'_>, development: bool) -> Option<Option<Secret>> {
    let Some(text) = reader.given(ENCRYPTION_KEY) else {
        reader.show(ENCRYPTION_KEY, "");
        return Some(None);
    };
    secret(reader, ENCRYPTION_KEY, text, (LEAST_ENCRYPTION_BYTES, development)).map(Some)
}

/// A key, unless it is weak; in development that is only a warning.
fn secret(reader: &mut Reader<'_>, key: &Key, text: &str, (bytes, development): (usize, bool)) -> Option<Secret> {
    if let Some(rule) = weakness(text, bytes) {
        if !development {
            reader.refuse(key, rule);
            return None;
        }
        reader.warn(format!("{} {rule}; it is accepted in development only", key.name));
    }
    reader.show(key, "***");
    Some(Secret::new(text))
}
