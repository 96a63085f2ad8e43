//! The request budget of a client, and whose word is taken for who the client is.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;

use super::{
    keys::{RATE_LIMIT_ENABLED, RATE_LIMIT_REQUESTS, RATE_LIMIT_WINDOW, TRUSTED_PROXIES},
    reader::Reader,
};

/// The budget N per window W.
#[derive(Debug, Clone)]
pub struct RateLimit {
    /// Off turns every budget and its headers off.
    pub enabled: bool,
    /// N, at least 1.
    pub requests: u32,
    /// W, at least one second, in whole seconds.
    pub window: Duration,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<RateLimit> {
    let enabled = reader.flag(RATE_LIMIT_ENABLED);
    let requests = reader.number(RATE_LIMIT_REQUESTS, 1..=u32::MAX);
    let window = reader.number(RATE_LIMIT_WINDOW, 1..=u32::MAX);
    let (enabled, requests, window) = (enabled?, requests?, window?);
    Some(RateLimit { enabled, requests, window: Duration::from_secs(window.into()) })
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
