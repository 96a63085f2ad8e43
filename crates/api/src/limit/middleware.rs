//! The middleware that wraps a limited resource, in the shape of `actix_governor::Governor`.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use actix_governor::KeyExtractor;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use sme_pulse_domain::clock::Clock;

use super::{ClientKeyExtractor, Decision, LimitConfig, SlidingLimiter};
use crate::{client_ip::ClientKey, edge::RequestContext, error::ApiError};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Limits the resource it wraps: everything routed there counts, whatever its method, body or outcome.
///
/// Clones share one budget, so make it outside the `HttpServer` factory and clone it into every worker and every
/// resource that the budget covers. Wrap resources (`Table::add_behind`, `web::resource(…).wrap(limit)`), never a
/// scope: it keeps the request beside the inner service, and routing inside a scope needs it undivided.
#[derive(Clone)]
pub struct Limit {
    budget: Option<Arc<Budget>>,
}

struct Budget {
    name: &'static str,
    requests: u32,
    window: Duration,
    limiter: SlidingLimiter<ClientKey>,
    clock: Arc<dyn Clock>,
}

impl Limit {
    /// A budget per client under a name that clients see in the `RateLimit` headers.
    pub fn new(name: &'static str, config: LimitConfig, clock: Arc<dyn Clock>) -> Self {
        let LimitConfig { enabled, requests, window } = config;
        let budget =
            || Arc::new(Budget { name, requests, window, limiter: SlidingLimiter::new(requests, window), clock });
        Self { budget: enabled.then(budget) }
    }

    /// Forgets the clients whose requests have all left the window; call it now and then, so that memory comes back.
    pub fn sweep(&self) {
        if let Some(budget) = &self.budget {
            budget.limiter.sweep(budget.clock.monotonic());
        }
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit").field("budget", &self.budget.as_ref().map(|budget| budget.name)).finish()
    }
}

impl Budget {
    /// Counts the request; `Err` holds the headers of a refusal, `Ok` those of the later answer.
    fn check(&self, request: &ServiceRequest) -> Result<StateHeaders, Refusal> {
        let key = ClientKeyExtractor.extract(request).map_err(Refusal::Unidentified)?;
        match self.limiter.admit(key, self.clock.monotonic()) {
            Decision::Admitted { left, reset_secs } => Ok(self.headers(left, reset_secs)),
            Decision::Refused { reset_secs } => Err(Refusal::Exhausted(self.headers(0, reset_secs))),
        }
    }

    fn headers(&self, left: u32, reset_secs: u64) -> StateHeaders {
        let (name, requests, window) = (self.name, self.requests, self.window.as_secs());
        StateHeaders {
            policy: format!("\"{name}\";q={requests};w={window}"),
            state: format!("\"{name}\";r={left};t={reset_secs}"),
        }
    }

    fn refuse(&self, request: ServiceRequest, refusal: Refusal) -> ServiceResponse<BoxBody> {
        let window = self.window.as_secs();
        match refusal {
            Refusal::Unidentified(error) => request.error_response(error),
            Refusal::Exhausted(headers) => {
                let mut response = request.error_response(ApiError::RateLimited(window));
                headers.put(&mut response);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(window));
                response
            }
        }
    }
}

enum Refusal {
    Unidentified(ApiError),
    Exhausted(StateHeaders),
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
struct StateHeaders {
    policy: String,
    state: String,
}

impl StateHeaders {
    fn put<B>(&self, response: &mut ServiceResponse<B>) {
        for (name, value) in self.values() {
            response.headers_mut().insert(name, value);
        }
    }

    /// Leaves them with the edge as well, for answers that never come through here: timeouts and panics.
    fn promise(&self, request: &ServiceRequest) {
        if let Some(context) = RequestContext::of(request.request()) {
            self.values().for_each(|(name, value)| context.promise_header(name, value));
        }
    }

    fn values(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let texts = [(RATE_LIMIT_POLICY, &self.policy), (RATE_LIMIT, &self.state)];
        texts.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::from_str(text).ok()?)))
    }
}

impl<S, B> Transform<S, ServiceRequest> for Limit
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = LimitService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(LimitService { service, budget: self.budget.clone() }))
    }
}

/// What [`Limit`] turns a service into.
pub struct LimitService<S> {
    service: S,
    budget: Option<Arc<Budget>>,
}

impl<S> fmt::Debug for LimitService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LimitService")
    }
}

impl<S, B> Service<ServiceRequest> for LimitService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let headers = match self.budget.as_ref().map(|budget| (budget, budget.check(&request))) {
            None => None,
            Some((_, Ok(headers))) => Some(headers),
            Some((budget, Err(refusal))) => {
                let response = budget.refuse(request, refusal);
                return Box::pin(ready(Ok(response)));
            }
        };
        let Some(headers) = headers else {
            let inner = self.service.call(request);
            return Box::pin(async move { Ok(inner.await?.map_into_boxed_body()) });
        };
        // An error carries no request, and without one there is no response to put the headers on.
        let kept = request.request().clone();
        headers.promise(&request);
        let inner = self.service.call(request);
        Box::pin(async move {
            let mut response = match inner.await {
                Ok(response) => response.map_into_boxed_body(),
                Err(error) => ServiceResponse::from_err(error, kept),
            };
            headers.put(&mut response);
            Ok(response)
        })
    }
}

#[cfg(test)]
#[path = "middleware_tests.rs"]
mod tests;
