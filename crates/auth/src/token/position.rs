//! Where in the stream of revocations a token was made: a later revocation of its user or organization concerns it, an earlier
//! one does not. No clocks are compared. The number travels in the token's name (`jti`), a UUID of version 8 (RFC 9562
//! section 5.8): 48 bits of position, the rest random.

#[cfg(any(feature = "sign", test))]
use uuid::Builder;
use uuid::Uuid;

/// Bytes of the position.
const BYTES: usize = 6;

/// A name for a token that is made while the newest revocation known is this one.
#[cfg(any(feature = "sign", test))]
pub fn token_id(position: u64, random: [u8; 16]) -> Uuid {
    let mut bytes = random;
    let known = position.min((1 << 48) - 1).to_be_bytes();
    for (byte, known) in bytes.iter_mut().zip(known.iter().skip(8 - BYTES)) {
        *byte = *known;
    }
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// The position in a token's name. A name of another kind is from before everything: any revocation concerns the token.
pub(super) fn position_of(name: Option<&str>) -> u64 {
    let id = name.and_then(|name| Uuid::try_parse(name).ok()).filter(|id| id.get_version_num() == 8);
    let bytes = id.map(Uuid::into_bytes).unwrap_or_default();
    bytes.iter().take(BYTES).fold(0, |position, byte| position << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_the_way_through_a_name() {
        for position in [0, 1, 255, 256, 1 << 40, (1 << 48) - 1] {
            let name = token_id(position, [0xff; 16]).to_string();
            assert_eq!(position_of(Some(&name)), position, "{name}");
        }
        assert_eq!(position_of(Some(&token_id(u64::MAX, [0; 16]).to_string())), (1 << 48) - 1);
    }

    #[test]
    fn other_names_are_from_before_everything() {
        for name in [None, Some("x"), Some("ffffffff-ffff-4fff-bfff-ffffffffffff"), Some("")] {
            assert_eq!(position_of(name), 0, "{name:?}");
        }
    }

    #[test]
    fn names_differ_in_all_their_random_bits() {
        let (one, other) = (token_id(7, [0; 16]), token_id(7, [0xff; 16]));
        assert_eq!((one.as_u128() ^ other.as_u128()).count_ones(), 74);
    }
}
