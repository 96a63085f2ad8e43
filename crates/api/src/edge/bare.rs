//! Answers to bytes that never became a request: the HTTP library refuses them with a bare status before any of our
//! code runs. Here they get the envelope, the headers and the access event that every other answer has.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use uuid::fmt::Hyphenated;

use super::{Edge, cors, headers};
use crate::error;
use crate::telemetry::AccessRecord;

/// A bare answer is a short head; whatever the application answers is longer.
const LONGEST: usize = 200;

/// Where a bare refusal begins that ends this buffer, and its status.
pub(crate) fn find(buffer: &[u8]) -> Option<(usize, StatusCode)> {
    if !buffer.ends_with(b"\r\n\r\n") {
        return None;
    }
    let from = buffer.len().saturating_sub(LONGEST);
    let tail = buffer.get(from..)?;
    let at = tail.windows(7).rposition(|seven| seven == b"HTTP/1.")?;
    let text = std::str::from_utf8(tail.get(at..)?).ok()?;
    let status: u16 = text.get(9..12)?.parse().ok()?;
    let bare = matches!(status, 400 | 408 | 431 | 500)
        && text.lines().nth(1) == Some("content-length: 0")
        && !text.contains("x-request-id");
    bare.then(|| Some((from + at, StatusCode::from_u16(status).ok()?)))?
}

impl Edge {
    /// The complete answer to use instead of a bare one, already logged.
    pub(crate) fn refusal(&self, status: StatusCode, peer: Option<IpAddr>) -> Vec<u8> {
        let parts = &self.0;
        let id = parts.rng.uuid();
        let mut buffer = [0; Hyphenated::LENGTH];
        let text = &*id.as_hyphenated().encode_lower(&mut buffer);
        let mut head = HeaderMap::new();
        headers::write(&mut head, text, Duration::ZERO);
        cors::write(None, &mut head);
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        head.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let body = error::render(&error::foreign(status), text);
        if let Some(metrics) = &parts.metrics {
            metrics.answered(None, "-", status.as_u16(), Duration::ZERO);
        }
        if let Some(peer) = peer {
            let client_ip = (parts.resolve_client)(peer, &HeaderMap::new());
            (parts.log_access)(&AccessRecord {
                request_id: id,
                method: "-",
                path: "-",
                status_code: status.as_u16(),
                process_time: 0.0,
                client_ip,
                user_id: None,
                org_id: None,
                trace_id: None,
            });
        }
        write(status, &head, &body)
    }
}

/// Writing into a vector cannot fail.
fn write(status: StatusCode, head: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    let reason = status.canonical_reason().unwrap_or_default();
    let _ = write!(bytes, "HTTP/1.1 {} {reason}\r\ncontent-length: {}\r\n", status.as_u16(), body.len());
    for (name, value) in head {
        let _ = write!(bytes, "{name}: ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\
                        date: Sun, 22 Nov 2026 12:26:27 GMT\r\n\r\n";

    #[test]
    fn a_bare_refusal_is_found_alone_and_after_an_answer() {
        assert_eq!(find(BARE.as_bytes()), Some((0, StatusCode::BAD_REQUEST)));
        let behind = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{BARE}");
        assert_eq!(find(behind.as_bytes()).unwrap().0, behind.len() - BARE.len());
    }

    #[test]
    fn answers_of_the_application_are_left_alone() {
        for own in [
            "HTTP/1.1 204 No Content\r\nx-request-id: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nx-request-id: 1\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "\r\n\r\n",
            "HTTP/1.\r\n\r\n",
            "",
        ] {
            assert_eq!(find(own.as_bytes()), None, "{own}");
        }
    }
}
