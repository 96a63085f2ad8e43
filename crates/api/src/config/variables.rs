//! Where settings come from: the environment of the process, then a `.env` file. The environment is only ever read,
//! never changed, and only the names that can be settings are copied out of it.

use std::{collections::BTreeMap, ffi::OsString, fs, io, path::Path};

use zeroize::Zeroizing;

use super::{error::ConfigError, keys::LOG_FILE};

/// The variables a configuration is read from.
#[derive(Default)]
pub struct Variables(BTreeMap<String, (Source, Value)>);

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The environment of the process.
    Environment,
    /// The file `.env`.
    File,
    /// It is not set.
    Default,
    /// The variables `BACKEND_DB_*`, which are a database address together.
    DatabaseParts,
}

impl Source {
    /// As a person is told of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::File => ".env",
            Self::Default => "default",
            Self::DatabaseParts => "BACKEND_DB_*",
        }
    }
}

enum Value {
    Text(Zeroizing<String>),
    NotText,
}

impl Variables {
    /// The environment of this process and `.env` in `folder`, if there is one.
    pub fn of_process(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(".env");
        let file = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(ConfigError::one(".env", format!("must be readable: {}", error.kind()))),
        };
        Self::merge(std::env::vars_os(), &file)
    }

    /// Given variables win over those of the text of a `.env` file.
    pub fn merge(process: impl IntoIterator<Item = (OsString, OsString)>, dotenv: &[u8]) -> Result<Self, ConfigError> {
        let mut values = read_dotenv(dotenv)?;
        for (name, value) in process {
            let name = name.to_string_lossy().into_owned();
            if !relevant(&name) {
                continue;
            }
            let value = value.into_string().map_or(Value::NotText, |text| Value::Text(Zeroizing::new(text)));
            // An empty value is an unset one, so it hides nothing; only for the log file it says "none".
            let empty = matches!(&value, Value::Text(text) if text.is_empty());
            if !empty || name == LOG_FILE.name {
                values.insert(name, (Source::Environment, value));
            }
        }
        Ok(Self(values))
    }

    /// Exactly these pairs.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let text = |value: &str| (Source::Environment, Value::Text(Zeroizing::new(value.to_owned())));
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect())
    }

    /// `Err` when the value is not UTF-8.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, NotText> {
        match self.0.get(name) {
            None => Ok(None),
            Some((_, Value::Text(text))) => Ok(Some(text.as_str())),
            Some((_, Value::NotText)) => Err(NotText),
        }
    }

    /// Where a variable is set. White space alone is no value, except for the log file, where it says "none".
    pub(super) fn source(&self, name: &str) -> Source {
        match self.0.get(name) {
            Some((_, Value::Text(text))) if text.trim().is_empty() && name != LOG_FILE.name => Source::Default,
            Some((source, _)) => *source,
            None => Source::Default,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The value is not UTF-8.
#[derive(Debug)]
pub(super) struct NotText;

fn relevant(name: &str) -> bool {
    name.starts_with("BACKEND_") || name == "DATABASE_URL" || name == "REDIS_URL" || name.starts_with("OTEL_")
}

fn read_dotenv(bytes: &[u8]) -> Result<BTreeMap<String, (Source, Value)>, ConfigError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ConfigError::one(".env", "must be UTF-8 text"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut values = BTreeMap::new();
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        let (name, value) = item.map_err(|error| malformed(text, &error))?;
        if relevant(&name) && (!value.is_empty() || name == LOG_FILE.name) {
            // The first of several lines counts, as it does for every tool built on this parser.
            values.entry(name).or_insert((Source::File, Value::Text(Zeroizing::new(value))));
        }
    }
    Ok(values)
}

/// The line number only: the line itself may be half of a secret.
fn malformed(text: &str, error: &dotenvy::Error) -> ConfigError {
    let number = match error {
        dotenvy::Error::LineParse(line, _) => {
            let first = line.lines().next().unwrap_or_default();
            text.lines().position(|candidate| candidate == first).map(|index| index.saturating_add(1))
        }
        _ => None,
    };
    match number {
        Some(number) => ConfigError::one(format!(".env line {number}"), "must have the form NAME=value"),
        None => ConfigError::one(".env", "must have lines of the form NAME=value"),
    }
}
