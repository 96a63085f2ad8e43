//! The middleware that wraps a limited resource, in the shape of `actix_governor::Governor`.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::Arc,
};

use actix_governor::KeyExtractor;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{HeaderValue, RETRY_AFTER},
};
use sme_pulse_domain::clock::Clock;

use super::{
    Budget, ClientKeyExtractor, LimitConfig,
    budget::{Exhausted, StateHeaders},
};
use crate::{client_ip::ClientKey, edge::RequestContext, error::ApiError};

/// Limits the resource it wraps: everything routed there counts, whatever its method, body or outcome.
///
/// Clones share one budget, so make it outside the `HttpServer` factory and clone it into every worker and every
/// resource that the budget covers. Wrap resources (`Table::add_behind`, `web::resource(…).wrap(limit)`), never a
/// scope: it keeps the request beside the inner service, and routing inside a scope needs it undivided.
#[derive(Debug, Clone)]
pub struct Limit(Budget<ClientKey>);

impl Limit {
    /// A budget per client under a name that clients see in the `RateLimit` headers.
    pub fn new(name: &'static str, config: LimitConfig, clock: Arc<dyn Clock>) -> Self {
        Self(Budget::new(name, config, clock))
    }

    /// Forgets the clients whose requests have all left the window; call it now and then, so that memory comes back.
    pub fn sweep(&self) {
        self.0.sweep();
    }
}

/// Counts the request; `Ok` holds the headers of the later answer, none when the budget is off.
fn check(budget: &Budget<ClientKey>, request: &ServiceRequest) -> Result<Option<StateHeaders>, Refusal> {
    let key = ClientKeyExtractor.extract(request).map_err(Refusal::Unidentified)?;
    budget.count(key).transpose().map_err(Refusal::Exhausted)
}

fn refuse(request: ServiceRequest, refusal: Refusal) -> ServiceResponse<BoxBody> {
    match refusal {
        Refusal::Unidentified(error) => request.error_response(error),
        Refusal::Exhausted(Exhausted { headers, window_secs }) => {
            let mut response = request.error_response(ApiError::RateLimited(window_secs));
            put(&headers, &mut response);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(window_secs));
            response
        }
    }
}

enum Refusal {
    Unidentified(ApiError),
    Exhausted(Exhausted),
}

fn put<B>(headers: &StateHeaders, response: &mut ServiceResponse<B>) {
    for (name, value) in headers.values() {
        response.headers_mut().insert(name, value);
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
        ready(Ok(LimitService { service, budget: self.0.clone() }))
    }
}

/// What [`Limit`] turns a service into.
pub struct LimitService<S> {
    service: S,
    budget: Budget<ClientKey>,
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
        let headers = match check(&self.budget, &request) {
            Ok(headers) => headers,
            Err(refusal) => return Box::pin(ready(Ok(refuse(request, refusal)))),
        };
        let Some(headers) = headers else {
            let inner = self.service.call(request);
            return Box::pin(async move { Ok(inner.await?.map_into_boxed_body()) });
        };
        // An error carries no request, and without one there is no response to put the headers on.
        let kept = request.request().clone();
        // With the edge as well, for answers that never come through here: timeouts and panics.
        if let Some(context) = RequestContext::of(request.request()) {
            headers.promise(&context);
        }
        let inner = self.service.call(request);
        Box::pin(async move {
            let mut response = match inner.await {
                Ok(response) => response.map_into_boxed_body(),
                Err(error) => ServiceResponse::from_err(error, kept),
            };
            put(&headers, &mut response);
            Ok(response)
        })
    }
}

#[cfg(test)]
#[path = "middleware_tests.rs"]
mod tests;
