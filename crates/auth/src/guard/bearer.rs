//! The token of a request.

use super::incoming::Incoming;
use crate::{AccessError, token::TokenError};

/// The token of the one `Authorization` header; the scheme's case does not matter (RFC 9110 section 11.1).
pub(super) fn bearer(req: &impl Incoming) -> Result<&str, AccessError> {
    let mut headers = req.authorization();
    let value = headers.next().ok_or(AccessError::Unauthenticated)?;
    if headers.next().is_some() {
        return Err(TokenError::Malformed.into());
    }
    let (scheme, rest) = match value.iter().position(|byte| *byte == b' ') {
        Some(space) => value.split_at(space),
        None => (value, &b""[..]),
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(AccessError::Unauthenticated);
    }
    std::str::from_utf8(rest).map(|token| token.trim_matches(' ')).map_err(|_| TokenError::Malformed.into())
}
