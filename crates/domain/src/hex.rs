//! Bytes as hexadecimal digits and back.
//!
//! ```
//! use sme_pulse_domain::hex::{hex, unhex};
//!
//! assert_eq!(hex(&[0, 255]), "00ff");
//! assert_eq!(unhex("00ff"), Some([0, 255]));
//! assert_eq!(unhex::<2>("00FF"), None);
//! ```

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The bytes behind exactly so many lower-case hex digits.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != N.checked_mul(2)? || text.bytes().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        let start = at.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(start..start.checked_add(2)?)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exactly_so_many_lower_case_digits_are_read() {
        assert_eq!(unhex::<2>("00ff"), Some([0, 255]));
        for text in ["", "00", "00f", "00fff", "00FF", "+0ff", "0x00", "00é"] {
            assert_eq!(unhex::<2>(text), None, "{text}");
        }
    }
}
