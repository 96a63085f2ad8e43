//! The two kinds of `DATABASE_URL`, checked as strictly as the drivers read them, so that a mistake is found at start
//! and with a clear sentence. No rule repeats the text: it may hold a password.

use std::{fmt, net::IpAddr, path::PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};
use zeroize::Zeroizing;

/// Connection parameters the PostgreSQL driver knows. It would log the values of others, so those never reach it.
const PARAMETERS: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const NOT_A_URL: &str = "must be postgres://user:password@host:port/name or sqlite:path";

/// An address of a server, such as a database. It is displayed with `***` for passwords.
#[derive(Clone)]
pub struct SecretUrl {
    whole: Zeroizing<String>,
    masked: String,
}

impl SecretUrl {
    pub(crate) fn new(url: &Url) -> Self {
        Self { whole: Zeroizing::new(url.as_str().to_owned()), masked: masked(url) }
    }

    /// The address with its password; for whoever connects alone.
    pub fn expose(&self) -> &str {
        &self.whole
    }

    /// Whether this is the password in the user part.
    pub(super) fn has_password(&self, password: &str) -> bool {
        Url::parse(&self.whole).is_ok_and(|url| url.password() == Some(password))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked)
    }
}

fn masked(url: &Url) -> String {
    let mut shown = url.clone();
    if shown.password().is_some() {
        // Fails only for addresses without a host, which have no password.
        let _ = shown.set_password(Some("***"));
    }
    if url.query_pairs().any(|(name, _)| name == "password") {
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let hide = |(name, value): (String, String)| {
            let value = if name == "password" { "***".to_owned() } else { value };
            (name, value)
        };
        shown.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(hide));
    }
    shown.into()
}

/// The file of `sqlite:path`, `sqlite://path` or `sqlite:///absolute/path`; `text` is what follows `sqlite:`.
pub(super) fn sqlite_path(text: &str) -> Result<PathBuf, &'static str> {
    let text = text.strip_prefix("//").unwrap_or(text);
    let (path, parameters) = text.split_once('?').unwrap_or((text, ""));
    if path == ":memory:" || parameters.split('&').any(|parameter| parameter == "mode=memory") {
        return Err("must name a file; a database in memory would be another one for every connection");
    }
    if !parameters.is_empty() && parameters != "mode=rwc" {
        return Err("must have no parameters besides mode=rwc when it is a SQLite file");
    }
    let path = percent_decode_str(path).decode_utf8().map_err(|_| "must be a path in UTF-8")?;
    if path.is_empty() || path.ends_with('/') || path.chars().any(char::is_control) {
        return Err("must name a SQLite file");
    }
    Ok(PathBuf::from(path.as_ref()))
}

/// The address of a server and the names of parameters that were left out, because the driver does not know them.
pub(super) fn postgres(text: &str) -> Result<(SecretUrl, Vec<String>), &'static str> {
    let mut url = Url::parse(text).map_err(|_| NOT_A_URL)?;
    if !matches!(url.scheme(), "postgres" | "postgresql") || url.cannot_be_a_base() {
        return Err(NOT_A_URL);
    }
    let decodes = |part: &str| percent_decode_str(part).decode_utf8().is_ok_and(|text| !text.contains('\0'));
    if ![url.username(), url.password().unwrap_or_default(), url.path()].into_iter().all(decodes) {
        return Err("must be percent-encoded UTF-8");
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (mut kept, dropped): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| {
        PARAMETERS.contains(&name.as_str()) || name == "options" || name.starts_with("options[")
    });
    for (name, value) in &kept {
        check_parameter(name, value)?;
    }
    if let Some(Host::Ipv6(address)) = url.host() {
        // The driver would try to resolve the address with its brackets on.
        kept.push(("hostaddr".to_owned(), address.to_string()));
    }
    if kept.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    url.set_fragment(None);
    Ok((SecretUrl::new(&url), dropped.into_iter().map(|(name, _)| name).collect()))
}

fn check_parameter(name: &str, value: &str) -> Result<(), &'static str> {
    let (valid, rule) = match name {
        "sslmode" | "ssl-mode" => (
            SSL_MODES.contains(&value.to_ascii_lowercase().as_str()),
            "must have an sslmode of disable, allow, prefer, require, verify-ca or verify-full",
        ),
        "hostaddr" => (value.parse::<IpAddr>().is_ok(), "must have an IP address as hostaddr"),
        "port" => (value.parse::<u16>().is_ok(), "must have a port from 0 to 65535"),
        "statement-cache-capacity" => (value.parse::<u32>().is_ok(), "must have a number as statement-cache-capacity"),
        _ => (true, ""),
    };
    if valid { Ok(()) } else { Err(rule) }
}

/// An address from its parts; `None` when the host cannot be one.
pub(super) fn compose(host: &str, port: u16, name: &str, user: &str, password: &str) -> Option<SecretUrl> {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let (user, password, name) = (encode(user), encode(password), encode(name));
    // Socket folders and IPv6 addresses do not fit the place of the host in a URL as the driver reads it.
    let (place, parameter) = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => ("localhost".to_owned(), format!("?hostaddr={}", encode(host))),
        _ if host.starts_with('/') => ("localhost".to_owned(), format!("?host={}", encode(host))),
        _ => (super::server::host(host)?, String::new()),
    };
    let text = Zeroizing::new(format!("postgres://{user}:{password}@{place}:{port}/{name}{parameter}"));
    Url::parse(&text).ok().map(|url| SecretUrl::new(&url))
}
