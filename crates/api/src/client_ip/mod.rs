//! Who a request comes from: the client's address and the key its budgets are counted by.

mod node;
mod resolver;

use std::net::{IpAddr, Ipv6Addr};

pub use resolver::ClientResolver;

/// The one form of an address that is compared, trusted and logged: IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2)
/// is IPv4.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What a budget belongs to: one IPv4 address, or the /64 that an IPv6 client chooses its addresses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// An IPv4 address, also when it arrived IPv4-mapped.
    V4(u32),
    /// The upper half of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        match canonical(address) {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => Self::V6(upper_half(v6)),
        }
    }
}

fn upper_half(address: Ipv6Addr) -> u64 {
    // 64 bits are left, so they always fit.
    u64::try_from(address.to_bits() >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ClientKey {
        ClientKey::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_mapped_address_shares_the_key_of_its_ipv4_address() {
        assert_eq!(key("::ffff:203.0.113.7"), key("203.0.113.7"));
        assert_ne!(key("203.0.113.7"), key("203.0.113.8"));
    }

    #[test]
    fn ipv6_clients_are_told_apart_by_their_64_and_no_finer() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("::1"), key("0.0.0.0"));
    }

    #[test]
    fn a_mapped_address_is_shown_as_ipv4() {
        assert_eq!(canonical("::ffff:10.0.0.1".parse().unwrap()).to_string(), "10.0.0.1");
    }
}
