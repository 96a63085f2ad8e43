//! The HTTP side: address, limits of a request, origins, pages of its own, and whether strangers can sign up.

use std::{net::IpAddr, time::Duration};

use url::Url;

use super::{
    keys::{
        ALLOWED_ORIGINS, API_URL, CONSOLE_ENABLED, DOCS_ENABLED, DRAIN_SECONDS, HOST, MAX_BODY_BYTES, PORT,
        REQUEST_TIMEOUT, SIGNUP_ENABLED,
    },
    reader::Reader,
};

/// Largest body limit that can be set: 1 GiB.
const BODY_CEILING: usize = 1 << 30;

/// How the service listens and what it lets in.
#[derive(Debug, Clone)]
pub struct Server {
    /// An address without brackets, or a host name to resolve.
    pub host: String,
    /// 0 lets the system choose.
    pub port: u16,
    /// The base of addresses of this API that it tells, without a slash at its end; `None` for where it listens.
    pub api_url: Option<String>,
    /// Whether the documentation pages exist.
    pub docs_enabled: bool,
    /// Whether companies can sign up.
    pub signup_enabled: bool,
    /// Whether the console exists.
    pub console_enabled: bool,
    /// Longest request body in bytes.
    pub max_body_bytes: usize,
    /// How long a handler may take.
    pub request_timeout: Duration,
    /// How long it goes on serving after a signal to stop, while it says that it is not ready.
    pub drain: Duration,
    /// Which browser origins may call.
    pub allowed_origins: AllowedOrigins,
}

/// Browser origins, compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every origin but `null`; exists in development only.
    Any,
    /// Exactly these.
    These(Vec<String>),
}

impl AllowedOrigins {
    /// Whether the value of an `Origin` header is allowed. `null` never is.
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any => !origin.is_empty() && origin != "null",
            Self::These(list) => list.iter().any(|allowed| allowed == origin),
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, development: bool) -> Option<Server> {
    let host = reader.value(HOST, "must be an IP address or a host name", host);
    let port = reader.number(PORT, 0..=u16::MAX);
    let api_url = api_url(reader);
    let docs_enabled = reader.flag(DOCS_ENABLED);
    let signup_enabled = reader.flag(SIGNUP_ENABLED);
    let console_enabled = reader.flag(CONSOLE_ENABLED);
    let max_body_bytes = reader.number(MAX_BODY_BYTES, 1..=BODY_CEILING);
    let request_timeout = reader.number(REQUEST_TIMEOUT, 1..=3600_u64);
    let drain = reader.number(DRAIN_SECONDS, 0..=300_u64);
    let allowed_origins = origins(reader, development);
    Some(Server {
        host: host?,
        port: port?,
        api_url: api_url?,
        docs_enabled: docs_enabled?,
        signup_enabled: signup_enabled?,
        console_enabled: console_enabled?,
        max_body_bytes: max_body_bytes?,
        request_timeout: Duration::from_secs(request_timeout?),
        drain: Duration::from_secs(drain?),
        allowed_origins: allowed_origins?,
    })
}

/// The inner `None` is no address, which is allowed.
#[expect(clippy::option_option, reason = "the outer one says whether the value is good, as everywhere here")]
fn api_url(reader: &mut Reader<'_>) -> Option<Option<String>> {
    if reader.given(API_URL).is_none_or(|text| text.trim().is_empty()) {
        reader.show(API_URL, "");
        return Some(None);
    }
    reader.value(API_URL, super::mail::URL_RULE, super::mail::public_url).map(Some)
}

/// An address, in brackets or not, or a name of letters, digits, hyphens and periods.
pub(super) fn host(text: &str) -> Option<String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() {
        return Some(bare.to_owned());
    }
    let name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    (!text.is_empty() && text.len() <= 253 && text.chars().all(name)).then(|| text.to_owned())
}

fn origins(reader: &mut Reader<'_>, development: bool) -> Option<AllowedOrigins> {
    const RULE: &str = "must be a comma list of origins as browsers send them: scheme://host or scheme://host:port in lower case, \
        no default port, nothing after it";
    let list = reader.value(ALLOWED_ORIGINS, RULE, |text| {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(|entry| (entry == "*" || is_origin(entry)).then(|| entry.to_owned())).collect::<Option<Vec<_>>>()
    })?;
    if !list.iter().any(|entry| entry == "*") {
        return Some(AllowedOrigins::These(list));
    }
    if !development {
        reader.refuse(ALLOWED_ORIGINS, "must name the origins outside development; * is refused");
        return None;
    }
    Some(AllowedOrigins::Any)
}

/// True for what a browser sends: an entry in any other spelling would silently never match. Applications in a web
/// view have schemes of their own (`capacitor://localhost`).
fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    if matches!(url.scheme(), "http" | "https") {
        return url.origin().ascii_serialization() == text;
    }
    let bare = url.path().is_empty() && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    bare && url.password().is_none() && url.host_str().is_some_and(|host| !host.is_empty()) && url.as_str() == text
}
