//! The seven headers of every answer, exactly one of each, whatever an inner layer set.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROCESS_TIME: HeaderName = HeaderName::from_static("x-process-time");
const X_POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");

const FIXED: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
];

/// Room for these, the CORS headers and those an error brings, so that the map grows once.
const EXPECTED: usize = 14;

/// Sets them, and removes what would name the software.
pub(super) fn write(headers: &mut HeaderMap, request_id: &str, took: Duration) {
    headers.reserve(EXPECTED);
    for (name, value) in FIXED {
        headers.insert(name, value);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Ok(seconds) = HeaderValue::try_from(plain_seconds(took)) {
        headers.insert(PROCESS_TIME, seconds);
    }
    headers.remove(header::SERVER);
    headers.remove(X_POWERED_BY);
}

/// Seconds with six decimals, never with an exponent.
pub(crate) fn plain_seconds(took: Duration) -> String {
    format!("{}.{:06}", took.as_secs(), took.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_plain_decimals() {
        assert_eq!(plain_seconds(Duration::from_micros(548)), "0.000548");
        assert_eq!(plain_seconds(Duration::from_nanos(3)), "0.000000");
        assert_eq!(plain_seconds(Duration::from_millis(12_345)), "12.345000");
    }
}
