//! The outermost layer of every request: request id, client address, checks of the head, CORS, the time limit, the
//! panic barrier, the error envelope, the headers every answer carries, and the one access event. Nothing inside can
//! lose any of these. It knows no route.
//!
//! Much in here exists because of what actix-http does by itself. Who wants to simplify should know it first:
//!
//! | What the library does | What answers it |
//! |---|---|
//! | refuses bytes that are no request with a bare status, before any of our code runs | `bare`, with `server/stream.rs` |
//! | times only the first head of a connection | `server/ticks.rs` |
//! | goes on to the next request when a body was left unread, or resets the connection before the answer is read | `body` (`Ending`, `Closing`), and the lingering of `server/stream.rs` |
//! | tells of a broken chunk only to who reads the body | the look at the unread body in `future` |
//! | serves what was pipelined behind `Connection: close` | `flight` (`Turn`) |
//! | answers `Upgrade` with `connection: upgrade` although nothing is upgraded | `answer` |
//!
//! Each has a test in `tests/edge` that speaks raw bytes; after an update of the library they tell what is still needed.

mod answer;
pub(crate) mod bare;
mod body;
mod connection;
mod context;
mod cors;
mod flight;
mod future;
mod headers;
mod inspect;
pub(crate) mod panics;

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpMessage as _};
use sme_pulse_domain::clock::Clock;
use sme_pulse_domain::rng::Rng;

pub use connection::Connection;
pub(crate) use connection::Patience;
pub use context::{Level, Notice, RequestContext};
pub use cors::Origins;

use answer::Outcome;
use body::Incoming;
use flight::{Flight, Turn};

use crate::error::ApiError;
use crate::metrics::HttpMetrics;
use crate::telemetry::AccessRecord;
use future::EdgeFuture;

/// Finds the client behind the socket peer and the forwarding headers.
pub type ResolveClient = Arc<dyn Fn(IpAddr, &HeaderMap) -> IpAddr + Send + Sync>;
/// Whether a socket peer is a proxy of ours.
pub type TrustPeer = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;
/// Writes the access event.
pub type LogAccess = Arc<dyn Fn(&AccessRecord<'_>) + Send + Sync>;

/// What the edge needs from outside.
#[derive(Clone)]
pub struct EdgeParts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where request ids come from.
    pub rng: Arc<dyn Rng>,
    /// Which browser origins may read answers.
    pub origins: Origins,
    /// How long a handler may take, the reading of the body included.
    pub timeout: Duration,
    /// Finds the client's address.
    pub resolve_client: ResolveClient,
    /// Whose word counts on which requests are traced.
    pub trust_peer: TrustPeer,
    /// Writes the access event, outside any span.
    pub log_access: LogAccess,
    /// Counts requests, if anybody wants to know.
    pub metrics: Option<Arc<HttpMetrics>>,
}

/// The layer itself: `App::wrap(edge.clone())` as the last, that is outermost, wrap.
#[derive(Clone)]
pub struct Edge(Arc<EdgeParts>);

impl Edge {
    /// The layer over its parts.
    pub fn new(parts: EdgeParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The same, and requests are counted.
    #[must_use]
    pub fn counted(&self, metrics: Arc<HttpMetrics>) -> Self {
        Self(Arc::new(EdgeParts { metrics: Some(metrics), ..self.0.as_ref().clone() }))
    }

    pub(crate) fn metrics(&self) -> Option<&Arc<HttpMetrics>> {
        self.0.metrics.as_ref()
    }
}

impl<S, B> Transform<S, ServiceRequest> for Edge
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Transform = EdgeService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(EdgeService { service, parts: Rc::new(self.0.as_ref().clone()) }))
    }
}

/// One worker's edge over the rest of the application.
pub struct EdgeService<S> {
    service: S,
    /// Counted per worker, so that requests of different workers do not contend for one counter.
    parts: Rc<EdgeParts>,
}

impl<S, B> Service<ServiceRequest> for EdgeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Future = EdgeFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, mut req: ServiceRequest) -> Self::Future {
        let body = Incoming::track(&mut req);
        let flight = Flight::begin(&self.parts, &req, body);
        if flight.turn == Turn::TooLate {
            let error = ApiError::BadRequest("a request after the last one of its connection");
            return EdgeFuture::answered(flight, Outcome::refused(req, error));
        }
        if let Err(error) = inspect::head(&req) {
            return EdgeFuture::answered(flight, Outcome::refused(req, error));
        }
        if let Some(answer) = cors::preflight(&self.parts.origins, req.head()) {
            return EdgeFuture::answered(flight, Outcome::preflight(req, answer));
        }
        req.extensions_mut().insert(flight.context());
        match panics::catch(|| self.service.call(req)) {
            Ok(inner) => EdgeFuture::running(flight, inner),
            Err(text) => {
                flight.panicked();
                EdgeFuture::answered(flight, Outcome::panicked(&text))
            }
        }
    }
}
