//! From the socket peer and the forwarding headers to the one address that is believed.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};
use ipnet::{IpNet, Ipv4Net};

use super::{canonical, node};

/// Longest chain of trusted proxies that is followed.
const MAX_HOPS: usize = 64;
/// Bits before the IPv4 address in a mapped IPv6 address.
const MAPPED_PREFIX: u8 = 96;

/// Decides who the client is, given the ranges of the proxies in front of this service.
#[derive(Debug, Clone, Default)]
pub struct ClientResolver {
    trusted: Vec<IpNet>,
}

impl ClientResolver {
    /// Ranges inside `::ffff:0:0/96` are taken as the IPv4 ranges they mean.
    pub fn new(trusted: Vec<IpNet>) -> Self {
        Self { trusted: trusted.into_iter().map(unmapped).collect() }
    }

    /// Whether a socket peer is one of these proxies.
    pub fn is_proxy(&self, peer: IpAddr) -> bool {
        self.trusts(canonical(peer))
    }

    /// The client in canonical form. Headers count only when the peer is trusted; when `X-Forwarded-For` and
    /// `Forwarded` name different clients, neither does.
    pub fn resolve(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = canonical(peer);
        if !self.trusts(peer) {
            return peer;
        }
        let plain = self.walk(peer, headers, &X_FORWARDED_FOR, node::plain);
        let forwarded = self.walk(peer, headers, &FORWARDED, node::forwarded);
        match (plain, forwarded) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => peer,
        }
    }

    /// The client that one header names, `None` when the header is absent or blank. Walks from the right, over all
    /// lines as if joined, to the first address that is not trusted; an unreadable entry ends the walk before it.
    fn walk(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        name: &HeaderName,
        read: fn(&[u8]) -> Option<IpAddr>,
    ) -> Option<IpAddr> {
        let lines: Vec<&[u8]> = headers.get_all(name).map(HeaderValue::as_bytes).collect();
        if lines.iter().all(|line| line.trim_ascii().is_empty()) {
            return None;
        }
        let mut last = peer;
        for entry in lines.into_iter().rev().flat_map(node::elements).take(MAX_HOPS) {
            let Some(address) = read(entry).map(canonical) else { break };
            last = address;
            if !self.trusts(address) {
                break;
            }
        }
        Some(last)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(&address))
    }
}

fn unmapped(range: IpNet) -> IpNet {
    let IpNet::V6(v6) = range else { return range };
    let narrow = v6.prefix_len().checked_sub(MAPPED_PREFIX);
    let v4 = Ipv6Addr::to_ipv4_mapped(&v6.addr());
    match (v4, narrow) {
        (Some(v4), Some(prefix)) => Ipv4Net::new(v4, prefix).map_or(range, IpNet::V4),
        _ => range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const XFF: &str = "x-forwarded-for";
    const FWD: &str = "forwarded";

    fn resolver() -> ClientResolver {
        ClientResolver::new(["10.0.0.0/8", "fd00::/8", "::ffff:192.168.0.0/120"].map(|net| net.parse().unwrap()).into())
    }

    fn headers(lines: &[(&str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            let Ok(value) = HeaderValue::from_bytes(value) else { continue };
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        }
        map
    }

    fn client(peer: &str, lines: &[(&str, &str)]) -> String {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        resolver().resolve(peer.parse().unwrap(), &headers(&lines)).to_string()
    }

    #[test]
    fn without_trust_no_header_changes_the_client() {
        assert_eq!(client("203.0.113.9", &[(XFF, "1.1.1.1")]), "203.0.113.9");
        assert_eq!(client("203.0.113.9", &[(FWD, "for=1.1.1.1")]), "203.0.113.9");
        assert_eq!(client("::ffff:203.0.113.9", &[(XFF, "1.1.1.1")]), "203.0.113.9");
        let nobody = ClientResolver::new(Vec::new());
        let map = headers(&[(XFF, b"1.1.1.1")]);
        assert_eq!(nobody.resolve("127.0.0.1".parse().unwrap(), &map).to_string(), "127.0.0.1");
    }

    #[test]
    fn behind_trusted_proxies_the_right_most_untrusted_address_is_the_client() {
        for (lines, expected) in [
            (&[][..], "10.0.0.1"),
            (&[(XFF, "")], "10.0.0.1"),
            (&[(XFF, "203.0.113.9")], "203.0.113.9"),
            (&[(XFF, "1.1.1.1, 203.0.113.9")], "203.0.113.9"),
            (&[(XFF, "1.1.1.1, 203.0.113.9, 10.0.0.2,10.0.0.3")], "203.0.113.9"),
            (&[(XFF, "1.1.1.1, 203.0.113.9"), (XFF, "10.0.0.2")], "203.0.113.9"),
            (&[(XFF, "203.0.113.9"), (XFF, "1.1.1.1")], "1.1.1.1"),
            (&[(XFF, "10.0.0.5, 10.0.0.2")], "10.0.0.5"),
            (&[(XFF, "203.0.113.9:4711")], "203.0.113.9"),
            (&[(XFF, "[2001:db8::1]:443, fd00::1")], "2001:db8::1"),
            (&[(XFF, "203.0.113.9, ::ffff:10.0.0.2")], "203.0.113.9"),
            (&[(XFF, "203.0.113.9, 192.168.1.1")], "192.168.1.1"),
            (&[(XFF, "203.0.113.9, 192.168.0.1")], "203.0.113.9"),
            (&[(XFF, "203.0.113.9, unknown, 10.0.0.2")], "10.0.0.2"),
            (&[(XFF, "203.0.113.9, unknown")], "10.0.0.1"),
            (&[(XFF, "203.0.113.9,,10.0.0.2")], "10.0.0.2"),
            (&[(FWD, "for=1.1.1.1, for=203.0.113.9;proto=https, for=10.0.0.2")], "203.0.113.9"),
            (&[(FWD, "for=\"[2001:db8::1]:4711\"")], "2001:db8::1"),
            (&[(FWD, "for=_hidden, for=10.0.0.2")], "10.0.0.2"),
            (&[(FWD, "for=\"1.1.1.1, for=203.0.113.9")], "203.0.113.9"),
            (&[(FWD, "for=203.0.113.9"), (FWD, "proto=https;for=10.0.0.2")], "203.0.113.9"),
            (&[(XFF, "203.0.113.9"), (FWD, "for=\"203.0.113.9:80\"")], "203.0.113.9"),
            (&[(XFF, "203.0.113.9"), (FWD, "for=203.0.113.8")], "10.0.0.1"),
            (&[(XFF, "203.0.113.9"), (FWD, "for=unknown")], "10.0.0.1"),
            (&[(XFF, "::ffff:203.0.113.9"), (FWD, "for=203.0.113.9")], "203.0.113.9"),
        ] {
            assert_eq!(client("10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_chain_without_end_is_followed_only_so_far() {
        let chain = "10.0.0.9,".repeat(1_000);
        let line = format!("203.0.113.9,{chain}10.0.0.2");
        assert_eq!(client("10.0.0.1", &[(XFF, &line)]), "10.0.0.9");
        let backslashes = format!("for=\"{}\"", "\\\"".repeat(50_000));
        assert_eq!(client("10.0.0.1", &[(FWD, &backslashes)]), "10.0.0.1");
    }

    proptest! {
        #[test]
        fn no_header_panics_and_an_untrusted_peer_is_always_itself(
            peer: IpAddr,
            plain in proptest::collection::vec(any::<u8>(), 0..200),
            forwarded in "(for=|[\"\\\\,;=0-9a-f:.\\[\\] ]){0,40}",
        ) {
            let map = headers(&[(XFF, &plain), (FWD, forwarded.as_bytes())]);
            let client = resolver().resolve(peer, &map);
            prop_assert_eq!(client, canonical(client));
            if !resolver().trusts(canonical(peer)) {
                prop_assert_eq!(client, canonical(peer));
            }
            resolver().resolve("10.0.0.1".parse().unwrap(), &map);
        }

        #[test]
        fn whatever_a_client_sends_ahead_the_address_a_proxy_appends_counts(lies in "[ -~]{0,120}") {
            let line = format!("{lies},203.0.113.9");
            prop_assert_eq!(client("10.0.0.1", &[(XFF, &line)]), "203.0.113.9");
            let line = format!("{lies},for=203.0.113.9");
            prop_assert_eq!(client("10.0.0.1", &[(FWD, &line)]), "203.0.113.9");
        }
    }
}
