//! One request from its arrival to its access event. Dropping it without an answer means the client is gone (or the
//! server stops), and that is logged too.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderValue;
use actix_web::http::{ConnectionType, Method, Uri};
use opentelemetry::trace::TraceId;
use uuid::fmt::Hyphenated;

use crate::metrics::{HttpMetrics, Late, RouteName};
use crate::telemetry::AccessRecord;
use crate::trace::{self, CallerTrace};

use super::EdgeParts;
use super::body::Incoming;
use super::connection::{Connection, Serving};
use super::context::{Level, RequestContext};

/// The status an access event has when nobody was left to answer.
pub(super) const CLIENT_GONE: u16 = 499;

/// Where on its connection a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Others may follow.
    Any,
    /// The client asked for the end, or for another protocol, which no answer takes up.
    Last,
    /// The last one came before it.
    TooLate,
}

impl Turn {
    fn of(req: &ServiceRequest) -> Self {
        let ended = req.conn_data::<Rc<Connection>>().is_some_and(|connection| connection.has_ended());
        match req.head().connection_type() {
            _ if ended => Self::TooLate,
            ConnectionType::KeepAlive => Self::Any,
            ConnectionType::Close | ConnectionType::Upgrade => Self::Last,
        }
    }
}

/// A request on its way.
pub(super) struct Flight {
    parts: Rc<EdgeParts>,
    context: RequestContext,
    started: Duration,
    method: Method,
    uri: Uri,
    /// The allowed origin to echo, if the request names one.
    pub(super) origin: Option<HeaderValue>,
    pub(super) body: Option<Incoming>,
    /// Whether some of the body was dropped unread.
    pub(super) discarded: bool,
    pub(super) turn: Turn,
    serving: Option<Serving>,
    logged: bool,
}

impl Flight {
    pub(super) fn begin(parts: &Rc<EdgeParts>, req: &ServiceRequest, body: Option<Incoming>) -> Self {
        let started = parts.clock.monotonic();
        // A socket without a peer address does not occur over TCP; if it did, it would be nobody's trusted proxy.
        let peer = req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let client_ip = (parts.resolve_client)(peer, req.headers());
        let turn = Turn::of(req);
        let serving = req.conn_data::<Rc<Connection>>().map(Serving::on);
        if let Some(serving) = serving.as_ref().filter(|_| turn != Turn::Any) {
            serving.mark_last();
        }
        if let Some(metrics) = &parts.metrics {
            metrics.began();
        }
        let caller_trace = trace::parent(req.headers());
        let caller_trace = caller_trace.map(|span| CallerTrace { span, believed: (parts.trust_peer)(peer) });
        Self {
            context: RequestContext::new(parts.rng.uuid(), client_ip, caller_trace),
            started,
            method: req.method().clone(),
            uri: req.uri().clone(),
            origin: parts.origins.matching(req.headers()),
            body,
            discarded: false,
            turn,
            serving,
            logged: false,
            parts: Rc::clone(parts),
        }
    }

    pub(super) fn context(&self) -> RequestContext {
        self.context.clone()
    }

    pub(super) fn client_ip(&self) -> IpAddr {
        self.context.client_ip()
    }

    /// Lets the socket read and drop for a moment after the end, so that the answer is not lost.
    pub(super) fn linger(&self) {
        if let Some(serving) = &self.serving {
            serving.linger();
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.parts.timeout
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.parts.clock.monotonic().saturating_sub(self.started)
    }

    /// What counts requests.
    pub(super) fn metrics(&self) -> Option<&HttpMetrics> {
        self.parts.metrics.as_deref()
    }

    /// The trace the request belongs to.
    pub(super) fn trace(&self) -> Option<TraceId> {
        self.context.trace()
    }

    /// The inside has panicked.
    pub(super) fn panicked(&self) {
        if let Some(metrics) = self.metrics() {
            metrics.panicked();
        }
    }

    /// Somebody's time was up.
    pub(super) fn timed_out(&self, late: Late) {
        if let Some(metrics) = self.metrics() {
            metrics.timed_out(late);
        }
    }

    /// The request id as text, written into the buffer.
    pub(super) fn id<'a>(&self, buffer: &'a mut [u8; Hyphenated::LENGTH]) -> &'a str {
        self.context.request_id().as_hyphenated().encode_lower(buffer)
    }

    /// Writes the notices and the access event, and counts the answer; later calls do nothing.
    pub(super) fn log(&mut self, status_code: u16, took: Duration) {
        if std::mem::replace(&mut self.logged, true) {
            return;
        }
        let route = self.context.route();
        if let Some(span) = self.context.take_span() {
            trace::end(&span, self.method.as_str(), route.as_deref().map(RouteName::template), status_code);
        }
        if let Some(metrics) = self.metrics() {
            metrics.answered(route.as_deref(), self.method.as_str(), status_code, took);
        }
        self.log_notices();
        let caller = self.context.caller();
        (self.parts.log_access)(&AccessRecord {
            request_id: self.context.request_id(),
            method: self.method.as_str(),
            path: self.uri.path(),
            status_code,
            process_time: took.as_secs_f64(),
            client_ip: self.client_ip(),
            user_id: caller.map(|(user, _)| user),
            org_id: caller.map(|(_, organization)| organization),
            trace_id: self.context.trace(),
        });
    }

    fn log_notices(&self) {
        let notices = self.context.take_notices();
        if notices.is_empty() {
            return;
        }
        let mut buffer = [0; Hyphenated::LENGTH];
        let (request_id, client_ip) = (self.id(&mut buffer), self.client_ip());
        let (user_id, org_id) = self.context.caller().unzip();
        for notice in notices {
            let (email, reason, text) = (notice.email.as_deref(), notice.reason, notice.text);
            match notice.level {
                Level::Info => {
                    tracing::info!(request_id, client_ip = %client_ip, user_id, org_id, email, reason, "{text}");
                }
                Level::Warn => {
                    tracing::warn!(request_id, client_ip = %client_ip, user_id, org_id, email, reason, "{text}");
                }
            }
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.logged {
            let took = self.elapsed();
            self.log(CLIENT_GONE, took);
        }
        if let Some(metrics) = self.metrics() {
            metrics.ended();
        }
    }
}
