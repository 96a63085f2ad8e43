//! Which database, and how many connections to it.

use std::path::{Path, PathBuf};

use super::{
    database_url::{self, SecretUrl},
    keys::{
        AUTO_MIGRATE, DATABASE_URL, DB_HOST, DB_NAME, DB_PARTS, DB_PASSWORD, DB_PORT, DB_USER, MAX_OVERFLOW, POOL_SIZE,
    },
    reader::{FLAG_RULE, Reader, flag},
    variables::Source,
};

/// The embedded file of an installation without any configuration.
const DEFAULT_FILE: &str = "data/sme-pulse.db";
/// The folder for generated files when the database is a server.
const DATA_FOLDER: &str = "data";

/// The storage settings.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which engine, and where.
    pub target: DatabaseTarget,
    /// PostgreSQL connections that are kept.
    pub pool_size: u32,
    /// Further PostgreSQL connections under load.
    pub max_overflow: u32,
    /// Whether pending migrations run at start instead of stopping it.
    pub auto_migrate: bool,
}

/// Which engine, and where.
#[derive(Debug, Clone)]
pub enum DatabaseTarget {
    /// An embedded file; it and its folder may not exist yet.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// The address with its password.
        url: SecretUrl,
    },
}

impl DatabaseTarget {
    /// Reads an address in the form of `DATABASE_URL`, with the rule it breaks instead. Parameters that the driver does not know
    /// are left out.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text.strip_prefix("sqlite:") {
            Some(rest) => database_url::sqlite_path(rest).map(|path| Self::Sqlite { path }),
            None => database_url::postgres(text).map(|(url, _)| Self::Postgres { url }),
        }
    }

    /// Where files that belong to the data are kept: beside the SQLite file, or in `data`.
    pub fn data_folder(&self) -> PathBuf {
        match self {
            Self::Sqlite { path } => match path.parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => PathBuf::from("."),
            },
            Self::Postgres { .. } => PathBuf::from(DATA_FOLDER),
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, development: bool) -> Option<Database> {
    let target = target(reader, development);
    let pool_size = reader.number(POOL_SIZE, 1..=10_000_u32);
    let max_overflow = reader.number(MAX_OVERFLOW, 0..=10_000_u32);
    let embedded = matches!(target, Some(DatabaseTarget::Sqlite { .. }));
    let auto_migrate = match reader.given(AUTO_MIGRATE) {
        None => Some(embedded || development),
        Some(text) => {
            let given = flag(text.trim());
            if given.is_none() {
                reader.refuse(AUTO_MIGRATE, FLAG_RULE);
            }
            given
        }
    };
    reader.show(AUTO_MIGRATE, auto_migrate.unwrap_or_default());
    Some(Database { target: target?, pool_size: pool_size?, max_overflow: max_overflow?, auto_migrate: auto_migrate? })
}

fn target(reader: &mut Reader<'_>, development: bool) -> Option<DatabaseTarget> {
    let parts_given = DB_PARTS.into_iter().any(|key| reader.given(key).is_some());
    // The parts are checked even when the URL wins: a wrong value is an error wherever it stands.
    let parts = parts(reader);
    let by_parts = parts_given && reader.given(DATABASE_URL).is_none();
    let target = if let Some(text) = reader.given(DATABASE_URL) {
        if parts_given {
            reader.warn("BACKEND_DB_* has no effect, because DATABASE_URL is set");
        }
        let target = from_url(reader, text.trim())?;
        if matches!(&target, DatabaseTarget::Postgres { url } if !development && url.has_password(DB_PASSWORD.default))
        {
            reader.warn(format!("{} holds a publicly known password", DATABASE_URL.name));
        }
        target
    } else if parts_given {
        if !development && reader.given(DB_PASSWORD).unwrap_or(DB_PASSWORD.default) == DB_PASSWORD.default {
            reader.refuse(DB_PASSWORD, "must be set to something other than the default outside development");
            return None;
        }
        DatabaseTarget::Postgres { url: parts? }
    } else {
        DatabaseTarget::Sqlite { path: PathBuf::from(DEFAULT_FILE) }
    };
    if by_parts {
        reader.show_from(DATABASE_URL, &target, Source::DatabaseParts);
    } else {
        reader.show(DATABASE_URL, &target);
    }
    Some(target)
}

fn from_url(reader: &mut Reader<'_>, text: &str) -> Option<DatabaseTarget> {
    let parsed = if let Some(rest) = text.strip_prefix("sqlite:") {
        database_url::sqlite_path(rest).map(|path| DatabaseTarget::Sqlite { path })
    } else {
        database_url::postgres(text).map(|(url, dropped)| {
            for name in dropped {
                reader.warn(format!("parameter {name} of {} has no effect", DATABASE_URL.name));
            }
            DatabaseTarget::Postgres { url }
        })
    };
    parsed.map_err(|rule| reader.refuse(DATABASE_URL, rule)).ok()
}

fn parts(reader: &mut Reader<'_>) -> Option<SecretUrl> {
    let mut text = |key, rule| {
        let given = reader.given(key).unwrap_or(key.default);
        let valid = !given.trim().is_empty() && !given.chars().any(char::is_control);
        if !valid {
            reader.refuse(key, rule);
        }
        valid.then(|| given.to_owned())
    };
    let host = text(DB_HOST, "must be a host name, an address or a socket folder");
    let name = text(DB_NAME, "must be a database name");
    let user = text(DB_USER, "must be a user name");
    let password = text(DB_PASSWORD, "must not be blank or have control characters");
    let port = reader.given(DB_PORT).unwrap_or(DB_PORT.default).trim();
    let port = super::reader::digits::<u16>(port).filter(|port| *port > 0);
    if port.is_none() {
        reader.refuse(DB_PORT, "must be a whole number from 1 to 65535");
    }
    let url = database_url::compose(host?.trim(), port?, name?.trim(), user?.trim(), &password?);
    if url.is_none() {
        reader.refuse(DB_HOST, "must be a host name, an address or a socket folder");
    }
    url
}

impl std::fmt::Display for DatabaseTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "sqlite:{}", path.display()),
            Self::Postgres { url } => url.fmt(f),
        }
    }
}
