//! What handlers and layers may know and say about their request: its id, its client, who turned out to be calling,
//! and what the log should tell once the request is answered.

use std::cell::{Cell, RefCell};
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use opentelemetry::trace::TraceId;
use tracing::Span;
use uuid::Uuid;

use crate::error::ApiError;
use crate::metrics::RouteName;
use crate::trace::CallerTrace;

/// One request's identity and notes; a cheap handle, in the request's extensions.
#[derive(Debug, Clone)]
pub struct RequestContext(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    request_id: Uuid,
    client_ip: IpAddr,
    caller: Cell<Option<(i64, i64)>>,
    route: RefCell<Option<Rc<RouteName>>>,
    caller_trace: Option<CallerTrace>,
    trace: Cell<Option<TraceId>>,
    span: RefCell<Option<Span>>,
    notices: RefCell<Vec<Notice>>,
    headers: RefCell<Vec<(HeaderName, HeaderValue)>>,
}

/// How loud a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something that is meant to happen.
    Info,
    /// Something to look at when it piles up.
    Warn,
}

/// A line for the log, written after the answer with the request id and the client. Its texts must hold no secret
/// and no unmasked address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How loud.
    pub level: Level,
    /// The fixed text a search looks for, such as `Successful login`.
    pub text: &'static str,
    /// The masked e-mail address, if one is concerned.
    pub email: Option<String>,
    /// Why, if there is a reason.
    pub reason: Option<&'static str>,
}

impl Notice {
    /// A line at level 30.
    pub fn info(text: &'static str) -> Self {
        Self { level: Level::Info, text, email: None, reason: None }
    }

    /// A line at level 40.
    pub fn warn(text: &'static str) -> Self {
        Self { level: Level::Warn, ..Self::info(text) }
    }

    /// The same with a masked e-mail address.
    #[must_use]
    pub fn email(mut self, masked: impl Into<String>) -> Self {
        self.email = Some(masked.into());
        self
    }

    /// The same with a reason.
    #[must_use]
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }
}

impl RequestContext {
    pub(super) fn new(request_id: Uuid, client_ip: IpAddr, caller_trace: Option<CallerTrace>) -> Self {
        let (caller, route, span) = (Cell::new(None), RefCell::default(), RefCell::default());
        // Until there is a span, the trace is the one that the caller names.
        let trace = Cell::new(caller_trace.as_ref().map(|caller| caller.span.trace_id()));
        let (notices, headers) = (RefCell::default(), RefCell::default());
        Self(Rc::new(Inner { request_id, client_ip, caller, route, caller_trace, trace, span, notices, headers }))
    }

    /// The context of a request that came through the edge.
    pub fn of(req: &HttpRequest) -> Option<Self> {
        req.extensions().get::<Self>().cloned()
    }

    /// The server's own id of this request; also in `X-Request-ID`.
    pub fn request_id(&self) -> Uuid {
        self.0.request_id
    }

    /// The client behind trusted proxies, not the socket peer.
    pub fn client_ip(&self) -> IpAddr {
        self.0.client_ip
    }

    /// Names the caller in the access event.
    pub fn identify(&self, user_id: i64, org_id: i64) {
        self.0.caller.set(Some((user_id, org_id)));
    }

    /// User and organization, once known.
    pub fn caller(&self) -> Option<(i64, i64)> {
        self.0.caller.get()
    }

    /// Says which route the request has reached.
    pub(crate) fn enter(&self, route: Rc<RouteName>) {
        self.0.route.replace(Some(route));
    }

    /// The route, unless none has the path or nothing got that far.
    pub(crate) fn route(&self) -> Option<Rc<RouteName>> {
        self.0.route.borrow().clone()
    }

    pub(crate) fn caller_trace(&self) -> Option<&CallerTrace> {
        self.0.caller_trace.as_ref()
    }

    /// The request has a span, in a trace.
    pub(crate) fn traced(&self, span: Span, trace: Option<TraceId>) {
        self.0.span.replace(Some(span));
        self.0.trace.set(trace);
    }

    /// The trace it belongs to, if any is known.
    pub(crate) fn trace(&self) -> Option<TraceId> {
        self.0.trace.get()
    }

    /// The span, to be completed; it ends when nobody holds it any more.
    pub(super) fn take_span(&self) -> Option<Span> {
        self.0.span.take()
    }

    /// Leaves a line for the log; it is written after the answer, outside any span.
    pub fn notice(&self, notice: Notice) {
        self.0.notices.borrow_mut().push(notice);
    }

    /// Puts a header on the answer, whatever becomes of the request: a timeout and a panic have it too.
    pub fn promise_header(&self, name: HeaderName, value: HeaderValue) {
        self.0.headers.borrow_mut().push((name, value));
    }

    pub(super) fn write_promised(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.headers.take() {
            headers.insert(name, value);
        }
    }

    pub(super) fn take_notices(&self) -> Vec<Notice> {
        self.0.notices.take()
    }
}

impl FromRequest for RequestContext {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req).ok_or_else(|| ApiError::internal("the edge is not mounted")))
    }
}
