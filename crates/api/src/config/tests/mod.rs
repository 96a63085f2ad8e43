//! Tests of the configuration, by subject.

mod database;
mod deployment;
mod documents;
mod keys;
mod secrets;
mod sources;
mod values;

use super::{Config, ConfigError, Variables, Warning};

/// What a production installation needs at least.
const PRODUCTION: [(&str, &str); 2] =
    [("BACKEND_ENVIRONMENT", "production"), ("BACKEND_SECRET_KEY", "k9Qw2Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpE")];

fn load(pairs: &[(&str, &str)]) -> Result<(Config, Vec<Warning>), ConfigError> {
    Config::load(&Variables::from_pairs(pairs.iter().copied()))
}

fn good(pairs: &[(&str, &str)]) -> Config {
    load(pairs).unwrap().0
}

fn warnings(pairs: &[(&str, &str)]) -> Vec<String> {
    load(pairs).unwrap().1.iter().map(ToString::to_string).collect()
}

fn production(pairs: &[(&str, &str)]) -> Result<(Config, Vec<Warning>), ConfigError> {
    load(&[&PRODUCTION, pairs].concat())
}

/// The lines that a person would see.
fn complaint(result: Result<(Config, Vec<Warning>), ConfigError>) -> String {
    result.unwrap_err().to_string()
}
