//! Cross-origin access: which origins may read answers, and the preflights, which are answered here and go no further.

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::error::ApiError;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Request-ID, X-Process-Time, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed",
);
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// The origins that may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every origin but `null`; for development only.
    Any,
    /// Exactly these.
    Only(Vec<String>),
}

impl Origins {
    fn allow(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => origin.as_bytes() != b"null",
            Self::Only(known) => known.iter().any(|one| one.as_bytes() == origin.as_bytes() && one != "null"),
        }
    }

    /// The origin to echo: the request names exactly one, and it is allowed.
    pub(super) fn matching(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut named = headers.get_all(header::ORIGIN);
        let only = named.next().filter(|_| named.next().is_none());
        only.filter(|origin| self.allow(origin)).cloned()
    }
}

/// The answer to a preflight; `None` when the request is none.
pub(super) fn preflight(origins: &Origins, head: &RequestHead) -> Option<Result<HttpResponse, ApiError>> {
    let headers = head.headers();
    let is_preflight = head.method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    is_preflight.then(|| {
        origins.matching(headers).ok_or(ApiError::DisallowedOrigin)?;
        let mut answer = HttpResponse::Ok();
        answer.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS));
        answer.insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE));
        answer.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        for requested in headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.append_header((header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone()));
        }
        Ok(answer.finish())
    })
}

/// Adds what an answer to an allowed origin carries, and to everybody that the answer depends on the origin.
pub(super) fn write(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    let names_origin = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"origin");
    if !headers.get_all(header::VARY).any(names_origin) {
        headers.append(header::VARY, ORIGIN);
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ORIGIN, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn origins_match_exactly() {
        let known = Origins::Only(vec!["http://localhost:3000".into()]);
        assert!(known.matching(&origin(&["http://localhost:3000"])).is_some());
        for other in ["http://localhost:30000", "https://localhost:3000", "http://localhost", "null", "", "*"] {
            assert!(known.matching(&origin(&[other])).is_none(), "{other}");
        }
    }

    #[test]
    fn null_never_matches() {
        assert!(Origins::Any.matching(&origin(&["null"])).is_none());
        assert!(Origins::Only(vec!["null".into()]).matching(&origin(&["null"])).is_none());
        assert!(Origins::Any.matching(&origin(&["https://a.example"])).is_some());
    }

    #[test]
    fn two_origins_are_none() {
        assert!(Origins::Any.matching(&origin(&["https://a.example", "https://b.example"])).is_none());
        assert!(Origins::Any.matching(&origin(&[])).is_none());
    }
}
