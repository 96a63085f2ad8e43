//! Who a request comes from: the client's address and the key its budgets are counted by.

mod node;
mod resolver;

use std::net::IpAddr;

pub use resolver::ClientResolver;

/// The one form of an address that is compared, trusted and logged: IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2)
/// is IPv4.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What a budget belongs to.
pub use sme_pulse_domain::network::Network as ClientKey;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_shown_as_ipv4() {
        assert_eq!(canonical("::ffff:10.0.0.1".parse().unwrap()).to_string(), "10.0.0.1");
    }
}
