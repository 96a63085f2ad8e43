//! Checks of the request head that come before routing: its size, the encoding of its target, and methods that no
//! path has. Framing (length and transfer coding) is checked by the HTTP library before anything gets here.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use percent_encoding::percent_decode;

use crate::error::ApiError;

/// The largest head: request line and header lines.
const MAX_HEAD: usize = 32 * 1024;
/// The methods any path may have; the answer to a `CONNECT`, whose target is no path.
const ALL_METHODS: &str = "GET, HEAD, POST, PUT, DELETE";

/// Refuses what must not reach the router.
pub(super) fn head(req: &ServiceRequest) -> Result<(), ApiError> {
    if size(req) > MAX_HEAD {
        return Err(ApiError::HeadTooLarge);
    }
    if !well_encoded(req.path()) {
        return Err(ApiError::BadRequest("the path is not well encoded"));
    }
    if !well_encoded(req.query_string()) {
        return Err(ApiError::BadRequest("the query is not well encoded"));
    }
    if *req.method() == Method::CONNECT && req.path().is_empty() {
        return Err(ApiError::MethodNotAllowed(ALL_METHODS.to_owned()));
    }
    Ok(())
}

/// Bytes of the head: the request line with its spaces and version, and each line with its colon, space and end.
fn size(req: &ServiceRequest) -> usize {
    let uri = req.uri();
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    let line = req.method().as_str().len() + target + authority + 12;
    req.headers().iter().fold(line, |sum, (name, value)| sum + name.as_str().len() + value.len() + 4)
}

/// Whether every `%` starts two hexadecimal digits and the decoded bytes are UTF-8.
fn well_encoded(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.iter().all(|byte| byte.is_ascii() && *byte != b'%') {
        return true;
    }
    let complete = bytes
        .split(|byte| *byte == b'%')
        .skip(1)
        .all(|after| matches!(after, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()));
    complete && percent_decode(bytes).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_correctly_encoded_text_passes() {
        for text in ["", "/health", "/a%20b", "/%C3%A9", "a=%2C&b=1+2", "/%00"] {
            assert!(well_encoded(text), "{text}");
        }
    }

    #[test]
    fn cut_off_or_non_utf8_encodings_are_refused() {
        for text in ["%", "/%2", "/%zz", "/a%", "/%%20", "/%ff", "/%C3", "/%ED%A0%80", "q=%f"] {
            assert!(!well_encoded(text), "{text}");
        }
    }
}
