//! The entries of `X-Forwarded-For` and `Forwarded` (RFC 7239): cut from the right, read as addresses.
//!
//! The right end is written by the nearest proxy and the left end by anybody. Cutting from the right means that
//! nothing on the left, an unbalanced quote for example, changes how the trusted part is read.

use std::net::{IpAddr, Ipv6Addr};

/// The elements of one header line from right to left, split at commas outside quoted strings.
pub(super) fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    from_right(line, b',')
}

/// The address of an `X-Forwarded-For` entry; `None` when it is not one.
pub(super) fn plain(entry: &[u8]) -> Option<IpAddr> {
    address(entry.trim_ascii())
}

/// The address of the `for` parameter of a `Forwarded` element; `None` when it is missing, repeated, hidden
/// (`unknown`, `_name`) or malformed.
pub(super) fn forwarded(element: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    for pair in from_right(element, b';') {
        let equals = pair.iter().position(|&byte| byte == b'=');
        let (name, value) = equals.and_then(|at| Some((pair.get(..at)?, pair.get(at.checked_add(1)?..)?)))?;
        if name.trim_ascii().eq_ignore_ascii_case(b"for") && found.replace(value.trim_ascii()).is_some() {
            return None;
        }
    }
    let value = found?;
    match value.strip_prefix(b"\"") {
        Some(open) => address(&unescaped(open.strip_suffix(b"\"")?)),
        None => address(value),
    }
}

/// Takes the backslashes off a quoted string's pairs (RFC 9110 section 5.6.4).
fn unescaped(quoted: &[u8]) -> Vec<u8> {
    let mut pair = false;
    let keep = |&byte: &u8| {
        pair = !pair && byte == b'\\';
        !pair
    };
    quoted.iter().copied().filter(keep).collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (inside, rest) = bracketed.split_once(']')?;
        let port_fits = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return inside.parse::<Ipv6Addr>().ok().filter(|_| port_fits).map(IpAddr::V6);
    }
    text.parse().ok().or_else(|| {
        let (host, port) = text.split_once(':')?;
        host.parse().ok().map(IpAddr::V4).filter(|_| is_port(port))
    })
}

/// A number of up to five digits, or an obfuscated port (RFC 7239 section 6.3).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(hidden) => {
            !hidden.is_empty() && hidden.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        }
        None => (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// The pieces between separators outside quoted strings, right-most first. Each byte is looked at a constant number
/// of times, whatever the quotes and backslashes.
fn from_right(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let current = rest?;
        let Some(at) = last_unquoted(current, separator) else { return rest.take() };
        rest = current.get(..at);
        current.get(at.checked_add(1)?..)
    })
}

fn last_unquoted(text: &[u8], separator: u8) -> Option<usize> {
    let mut quoted = false;
    let mut bytes = text.iter().copied().enumerate().rev().peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'"' {
            let mut escaped = false;
            while quoted && bytes.next_if(|&(_, before)| before == b'\\').is_some() {
                escaped = !escaped;
            }
            quoted = !quoted || escaped;
        } else if byte == separator && !quoted {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_brackets_are_stripped_and_everything_else_is_unreadable() {
        for (entry, expected) in [
            (" 192.0.2.1\t", Some("192.0.2.1")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("::ffff:192.0.2.1")),
            ("", None),
            ("unknown", None),
            ("_hidden", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:port", None),
            ("192.0.2.1:123456", None),
            ("192.0.2.01", None),
            ("192.0.2.256", None),
            ("192.0.2.1 192.0.2.2", None),
            ("[192.0.2.1]", None),
            ("[2001:db8::1", None),
            ("[2001:db8::1]x", None),
            ("fe80::1%eth0", None),
            ("\"192.0.2.1\"", None),
            ("http://192.0.2.1", None),
        ] {
            assert_eq!(plain(entry.as_bytes()), expected.map(|text| text.parse().unwrap()), "{entry:?}");
        }
        assert_eq!(plain(b"\xff\xfe"), None);
    }

    #[test]
    fn the_for_parameter_is_found_quoted_or_not_in_any_case_and_place() {
        for (element, expected) in [
            ("for=192.0.2.1", Some("192.0.2.1")),
            (" For = 192.0.2.1 ; proto=http", Some("192.0.2.1")),
            ("proto=https;by=10.0.0.1;FOR=\"[2001:db8::1]:4711\"", Some("2001:db8::1")),
            ("for=\"192.0.2.1:_p0rt\"", Some("192.0.2.1")),
            ("for=\"192.0\\.2.1\"", Some("192.0.2.1")),
            ("host=\"a;for=9.9.9.9\";for=192.0.2.1", Some("192.0.2.1")),
            ("for=unknown", None),
            ("for=_gazonk", None),
            ("for=\"192.0.2.1", None),
            ("for=", None),
            ("proto=https", None),
            ("for=192.0.2.1;for=192.0.2.2", None),
            ("192.0.2.1", None),
        ] {
            assert_eq!(forwarded(element.as_bytes()), expected.map(|text| text.parse().unwrap()), "{element:?}");
        }
    }

    #[test]
    fn commas_inside_quotes_do_not_split_and_a_stray_quote_on_the_left_does_not_swallow_the_right() {
        let split = |line: &'static str| elements(line.as_bytes()).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(split("a,b"), [b"b".to_vec(), b"a".to_vec()]);
        assert_eq!(split("x=\"a,b\",c"), [b"c".to_vec(), b"x=\"a,b\"".to_vec()]);
        assert_eq!(split("x=\"a\\\",b\",c"), [b"c".to_vec(), b"x=\"a\\\",b\"".to_vec()]);
        assert_eq!(split("for=\"evil,for=1.1.1.1").first().unwrap(), b"for=1.1.1.1");
        assert_eq!(split(""), [Vec::<u8>::new()]);
    }
}
