//! Forwarding headers: an untrusted peer is always itself, and what a trusted proxy appends on the right is what
//! counts, whatever stands before it.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};
use libfuzzer_sys::fuzz_target;
use sme_pulse_api::client_ip::{ClientKey, ClientResolver};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

fuzz_target!(|input: (&[u8], &[u8])| {
    let resolver = ClientResolver::new(["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap()).into());
    let both = headers([(X_FORWARDED_FOR, input.0.to_vec()), (FORWARDED, input.1.to_vec())]);
    let client = resolver.resolve(PROXY, &both);
    assert_eq!(client, client.to_canonical());
    let _ = ClientKey::from(client);
    assert_eq!(resolver.resolve(STRANGER, &both), STRANGER);

    let plain = headers([(X_FORWARDED_FOR, [input.0, b",203.0.113.9"].concat())]);
    assert!(plain.is_empty() || resolver.resolve(PROXY, &plain) == STRANGER);
    let forwarded = headers([(FORWARDED, [input.1, b",for=203.0.113.9"].concat())]);
    assert!(forwarded.is_empty() || resolver.resolve(PROXY, &forwarded) == STRANGER);
});

/// Leaves out what is no header value, as the HTTP parser does.
fn headers<const N: usize>(lines: [(HeaderName, Vec<u8>); N]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            map.append(name, value);
        }
    }
    map
}
