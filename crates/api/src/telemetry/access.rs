//! The access event: one line per request, written where its outcome is known, outside any span. It is the most
//! frequent line by far, so it holds what `docs/logging.md` names and nothing else.

use std::net::IpAddr;

use opentelemetry::trace::TraceId;
use uuid::Uuid;

/// What is known of a finished request.
#[derive(Debug, Clone, Copy)]
pub struct AccessRecord<'a> {
    /// The id in `X-Request-ID`.
    pub request_id: Uuid,
    /// The method as sent.
    pub method: &'a str,
    /// The path as sent, without the query.
    pub path: &'a str,
    /// The status of the answer, also when nobody was left to receive it.
    pub status_code: u16,
    /// Seconds from the first byte handled to the answer.
    pub process_time: f64,
    /// The client, behind trusted proxies.
    pub client_ip: IpAddr,
    /// The user, once known.
    pub user_id: Option<i64>,
    /// The organization, once known.
    pub org_id: Option<i64>,
    /// The trace it belongs to, if any is known.
    pub trace_id: Option<TraceId>,
}

/// Writes the event: level 30, or 50 for a failure of the server.
pub fn log_access(record: &AccessRecord<'_>) {
    let AccessRecord { method, path, status_code, process_time, client_ip, user_id, org_id, .. } = *record;
    let trace_id = record.trace_id.map(tracing::field::display);
    let mut buffer = Uuid::encode_buffer();
    let request_id: &str = record.request_id.hyphenated().encode_lower(&mut buffer);
    // The level belongs to the place in the code, so each level needs its own.
    if status_code >= 500 {
        tracing::error!(
            request_id, method, path, status_code, process_time, %client_ip, user_id, org_id, trace_id,
            "Request completed"
        );
    } else {
        tracing::info!(
            request_id, method, path, status_code, process_time, %client_ip, user_id, org_id, trace_id,
            "Request completed"
        );
    }
}
