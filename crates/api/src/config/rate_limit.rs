//! The request budget of a client, where it is counted, and whose word is taken for who the client is.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use url::Url;

use super::{
    database_url::SecretUrl,
    keys::{RATE_LIMIT_ENABLED, RATE_LIMIT_REQUESTS, RATE_LIMIT_WINDOW, REDIS_URL, TRUSTED_PROXIES},
    reader::{Reader, digits},
};

const REDIS_RULE: &str = "must be redis://user:password@host:port/number or rediss://…, with a password if there is a user, and no parameters";

/// The budget N per window W.
#[derive(Debug, Clone)]
pub struct RateLimit {
    /// Off turns every budget and its headers off.
    pub enabled: bool,
    /// N, at least 1.
    pub requests: u32,
    /// W, at least one second, in whole seconds.
    pub window: Duration,
    /// The Redis server that all replicas count in.
    pub redis: Option<SecretUrl>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<RateLimit> {
    let enabled = reader.flag(RATE_LIMIT_ENABLED);
    let requests = reader.number(RATE_LIMIT_REQUESTS, 1..=u32::MAX);
    let window = reader.number(RATE_LIMIT_WINDOW, 1..=u32::MAX);
    let redis = redis(reader);
    let (enabled, requests, window) = (enabled?, requests?, window?);
    Some(RateLimit { enabled, requests, window: Duration::from_secs(window.into()), redis })
}

/// `None` when it is unset, and after a refusal, which has been noted.
fn redis(reader: &mut Reader<'_>) -> Option<SecretUrl> {
    let Some(text) = reader.given(REDIS_URL).map(str::trim).filter(|text| !text.is_empty()) else {
        reader.show(REDIS_URL, "");
        return None;
    };
    let url = redis_url(text);
    match &url {
        Some(url) => reader.show(REDIS_URL, url),
        None => reader.refuse(REDIS_URL, REDIS_RULE),
    }
    url
}

/// No parameter and no fragment: one of those would turn the check of certificates off. A user without a password would not
/// be used, and is likely to be a password in the wrong place.
fn redis_url(text: &str) -> Option<SecretUrl> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss"))?;
    super::server::host(url.host_str()?)?;
    let signs_in = url.password().is_some_and(|password| !password.is_empty());
    let plain = url.query().is_none() && url.fragment().is_none() && url.port() != Some(0);
    let database = url.path().strip_prefix('/').unwrap_or_default();
    let numbered = database.is_empty() || digits::<u16>(database).is_some();
    let fits = plain && numbered && (signs_in || (url.username().is_empty() && url.password().is_none()));
    // What the client would not take is found here and not in every attempt to connect.
    (fits && redis::Client::open(url.as_str()).is_ok()).then(|| SecretUrl::new(&url))
}

/// The ranges whose forwarding headers are believed. A bare address is a range of one.
pub(super) fn trusted_proxies(reader: &mut Reader<'_>) -> Option<Vec<IpNet>> {
    let ranges = reader.value(TRUSTED_PROXIES, "must be a comma list of addresses or CIDR ranges", |text| {
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(range).collect::<Option<Vec<_>>>()
    })?;
    if ranges.iter().any(|range| range.prefix_len() == 0) {
        reader.warn(format!("{} trusts every peer, so any client can choose its address", TRUSTED_PROXIES.name));
    }
    Some(ranges)
}

fn range(text: &str) -> Option<IpNet> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address.to_canonical())),
        Err(_) => text.parse::<IpNet>().ok().map(|range| range.trunc()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_redis_is_taken_or_refused_whole_and_never_shows_its_password() {
        for text in [
            "redis://cache",
            "redis://cache:6380/",
            "redis://127.0.0.1/3",
            "redis://:hunter22@cache.example.com:6379/0",
            "rediss://sme:hunter22@[2001:db8::1]:6379",
            "redis://:p%40ss%2Fhunter22@cache",
        ] {
            let url = redis_url(text).unwrap_or_else(|| panic!("{text}"));
            assert!(!url.to_string().contains("hunter22") && !format!("{url:?}").contains("hunter22"), "{text}");
        }
        for text in [
            "cache:6379",
            "http://cache",
            "unix:///run/redis.sock",
            "redis://",
            "redis:///0",
            "redis://ca che",
            "redis://cache:0",
            "redis://0.0.0.0",
            "redis://cache/zero",
            "redis://cache/-1",
            "redis://hunter22@cache",
            "redis://user:@cache",
            "redis://cache?protocol=resp3",
            "rediss://cache#insecure",
            "redis://:%ff@cache",
        ] {
            assert!(redis_url(text).is_none(), "{text}");
        }
    }
}
