//! Where metrics are told.

use super::{
    keys::METRICS_ADDR,
    reader::{Reader, digits},
    server::host,
};

/// The inner `None` is nowhere, which is the default.
#[expect(clippy::option_option, reason = "the outer one says whether the value is good, as everywhere here")]
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Option<(String, u16)>> {
    if reader.given(METRICS_ADDR).is_none_or(|text| text.trim().is_empty()) {
        reader.show(METRICS_ADDR, "");
        return Some(None);
    }
    let rule = "must be host:port, such as 127.0.0.1:9464";
    reader.value(METRICS_ADDR, rule, address).map(Some)
}

/// An address with colons stands in brackets, or its last part could be taken for the port.
fn address(text: &str) -> Option<(String, u16)> {
    let (name, port) = text.rsplit_once(':')?;
    let plain = !name.contains(':') || name.starts_with('[');
    Some((host(name).filter(|_| plain)?, digits(port)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_taken_and_nothing_less() {
        for (text, host, port) in [("127.0.0.1:9464", "127.0.0.1", 9464), ("[::1]:0", "::1", 0), ("box:1", "box", 1)] {
            assert_eq!(address(text), Some((host.to_owned(), port)));
        }
        for text in ["9464", ":9464", "127.0.0.1", "127.0.0.1:", "::1:9464", "box:65536", "http://box:1", "box:+1"] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
