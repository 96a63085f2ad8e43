//! The bytes of a request's body, read whole and within the limit.

use std::{fmt, future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName},
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt;

use crate::error::{ApiError, Reason};

/// The largest body in bytes; app data that [`Body`] needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

/// A request's body. The route's body stage has read it already, so that 413 goes before 401; the limit holds here as
/// well, wherever a handler is mounted.
#[derive(Clone)]
pub struct Body {
    bytes: Bytes,
    promises_json: bool,
    promises_form: bool,
}

impl Body {
    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Nothing was sent, or `null`: how clients write out what the description calls optional.
    pub fn is_absent(&self) -> bool {
        matches!(self.bytes.trim_ascii(), b"" | b"null")
    }

    /// Whether the headers say JSON, or nothing.
    pub fn promises_json(&self) -> bool {
        self.promises_json
    }

    /// Whether the headers say that it is a form. Only a few routes take one.
    pub fn promises_form(&self) -> bool {
        self.promises_form
    }
}

/// Bodies hold passwords, so only the length is shown.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().map(|limit| limit.0);
        let claimed = claimed_length(request.headers());
        let (promises_json, promises_form) = (promises_json(request.headers()), promises_form(request.headers()));
        let payload = payload.take();
        Box::pin(async move {
            let limit = limit.ok_or_else(|| ApiError::Internal(Reason("no body limit is set".to_owned())))?;
            Ok(Self { bytes: read_whole(payload, claimed, limit).await?, promises_json, promises_form })
        })
    }
}

/// Reads a body to its end, refusing as soon as the limit is known to be passed: by the claimed length before anything
/// is read. A body that came in one piece is not copied.
pub(crate) async fn read_whole(mut payload: Payload, claimed: Option<usize>, limit: usize) -> Result<Bytes, ApiError> {
    if claimed.is_some_and(|length| length > limit) {
        return Err(ApiError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            PayloadError::Overflow => ApiError::TooLarge,
            PayloadError::Incomplete(_) | PayloadError::Io(_) => ApiError::ClientGone,
            _ => ApiError::BadRequest("the body's framing is broken"),
        })?;
        if first.len().saturating_add(all.len()).saturating_add(chunk.len()) > limit {
            return Err(ApiError::TooLarge);
        }
        if first.is_empty() && all.is_empty() {
            first = chunk;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&chunk);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// The length that the headers claim. A number too large for the machine is too large for the limit as well.
pub(crate) fn claimed_length(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

fn promises_json(headers: &HeaderMap) -> bool {
    every(headers, CONTENT_TYPE, is_json) && is_plain(headers)
}

/// The type is named, once or more often, and is always that of a form.
fn promises_form(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_TYPE) && every(headers, CONTENT_TYPE, is_form) && is_plain(headers)
}

fn is_plain(headers: &HeaderMap) -> bool {
    every(headers, CONTENT_ENCODING, |coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
}

fn every(headers: &HeaderMap, name: HeaderName, accepted: fn(&str) -> bool) -> bool {
    headers.get_all(name).all(|value| value.to_str().is_ok_and(|text| accepted(text.trim())))
}

fn is_form(value: &str) -> bool {
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// `application/json` or `*/*+json`, with any parameters; an empty value counts as absent.
fn is_json(value: &str) -> bool {
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let structured = |(kind, format): (&str, &str)| {
        let name = format.strip_suffix("+json");
        !kind.is_empty() && name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    };
    value.is_empty() || media_type == "application/json" || media_type.split_once('/').is_some_and(structured)
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
