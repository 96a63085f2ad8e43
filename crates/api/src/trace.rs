//! Which trace a request belongs to, and its span for exporters. The log does not see spans, so a span holds only what a
//! trace needs: neither a path nor an address nor a person.

mod parent;

use std::cell::Cell;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt as _, TraceId},
};
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

pub(crate) use parent::parent;

use crate::edge::RequestContext;

/// What the convention has for methods that it does not know.
const OTHER: &str = "_OTHER";

/// The trace that the caller names.
#[derive(Debug, Clone)]
pub(crate) struct CallerTrace {
    /// Trace, span, and whether it is recorded.
    pub(crate) span: SpanContext,
    /// Whether the peer may decide what is recorded here.
    pub(crate) believed: bool,
}

/// Makes the span of a request, and tells the edge of it.
pub(crate) struct LeanSpan;

impl RootSpanBuilder for LeanSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let method = known(request.method().as_str());
        let span = tracing::info_span!(
            "request",
            otel.kind = "server",
            otel.name = method,
            otel.status_code = Empty,
            http.request.method = method,
            http.route = Empty,
            http.response.status_code = Empty,
            url.scheme = "http",
            sme_pulse.request_id = Empty,
        );
        if !span.is_disabled()
            && let Some(context) = RequestContext::of(request.request())
        {
            begin(&span, &context);
        }
        span
    }

    /// Outcomes are told by the edge, once.
    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Gives the span its place. What a stranger names is only linked to: they must not choose what is recorded, nor put
/// spans into the traces of others.
fn begin(span: &Span, request: &RequestContext) {
    span.record("sme_pulse.request_id", tracing::field::display(request.request_id()));
    match request.caller_trace() {
        Some(caller) if caller.believed => {
            // Fails only for a span that has begun.
            let _ = span.set_parent(Context::new().with_remote_span_context(caller.span.clone()));
        }
        Some(caller) => span.add_link(caller.span.clone()),
        None => {}
    }
    let trace = span.context().span().span_context().trace_id();
    request.traced(span.clone(), (trace != TraceId::INVALID).then_some(trace));
}

/// Completes the span with what is known at the end.
pub(crate) fn end(span: &Span, method: &str, route: Option<&str>, status: u16) {
    let method = known(method);
    if let Some(route) = route {
        // A span that has begun takes another name only this way.
        span.context().span().update_name(format!("{method} {route}"));
        span.record("http.route", route);
    }
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or(OTHER)
}

thread_local! {
    static TOLD: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Runs what writes the lines of a request's error; they may ask for its trace.
pub(crate) fn telling<T>(trace: Option<TraceId>, write: impl FnOnce() -> T) -> T {
    let before = TOLD.replace(trace);
    let done = write();
    TOLD.set(before);
    done
}

/// The trace of the request whose lines are being written.
pub(crate) fn told() -> Option<TraceId> {
    TOLD.get()
}
