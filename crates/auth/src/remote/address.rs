//! Where an issuer is: an address that has been checked before anything is sent to it.

use url::{Host, Url};

use crate::BuildError;

/// The address of an issuer, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) secure: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// As the `Host` header has it.
    pub(super) authority: String,
    path: String,
}

impl Address {
    /// Reads an address. Without TLS only this machine is asked, unless `plain` allows it: whoever is on the way could answer with keys of
    /// their own.
    pub(super) fn parse(text: &str, plain: bool) -> Result<Self, BuildError> {
        let url = Url::parse(text).map_err(|_| BuildError::Address("it is no absolute URL"))?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(BuildError::Address("it is neither https nor http")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BuildError::Address("it holds a user or password")); // it would end in logs
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BuildError::Address("it has a query or fragment"));
        }
        let host = url.host().ok_or(BuildError::Address("it names no host"))?;
        if !secure && !plain && !is_loopback(&host) {
            return Err(BuildError::Address("it is not https, and not this machine"));
        }
        let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        let port = url.port_or_known_default().ok_or(BuildError::Address("it names no port"))?;
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(Self { secure, host, port, authority, path: url.path().trim_end_matches('/').to_owned() })
    }

    /// The path of one of the issuer's resources, which begins with a slash.
    pub(super) fn path(&self, resource: &str) -> String {
        format!("{}{resource}", self.path)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_into_what_is_connected_to_and_what_is_asked_for() {
        let address = Address::parse("https://auth.example.com/tenants/", false).unwrap();
        assert_eq!((address.host.as_str(), address.port, address.secure), ("auth.example.com", 443, true));
        assert_eq!(address.path("/x"), "/tenants/x");
        let address = Address::parse("http://[::1]:8000", false).unwrap();
        assert_eq!((address.host.as_str(), address.authority.as_str()), ("::1", "[::1]:8000"));
        assert_eq!(address.path("/x"), "/x");
    }

    #[test]
    fn without_tls_only_this_machine_is_asked_unless_somebody_says_so() {
        for near in ["http://localhost:1", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]"] {
            assert!(Address::parse(near, false).is_ok(), "{near}");
        }
        for far in ["http://auth.example.com", "http://10.0.0.1", "http://localhost.example.com", "http://[::2]"] {
            assert!(matches!(Address::parse(far, false), Err(BuildError::Address(_))), "{far}");
            assert!(Address::parse(far, true).is_ok(), "{far}");
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for bad in [
            "",
            "auth.example.com",
            "ftp://a.b",
            "https://u:p@a.b",
            "https://a.b/?x=1",
            "https://a.b/#x",
            "https://",
            "file:///etc",
        ] {
            assert!(matches!(Address::parse(bad, true), Err(BuildError::Address(_))), "{bad}");
        }
    }
}
