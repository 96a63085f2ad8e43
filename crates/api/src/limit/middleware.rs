//! The middleware that wraps a limited resource, in the shape of `actix_governor::Governor`.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
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
    Budget, ClientKeyExtractor, LimitConfig, SharedLog,
    budget::{Counted, Exhausted, StateHeaders},
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
    pub fn new(name: &'static str, config: LimitConfig, clock: Arc<dyn Clock>, shared: Option<SharedLog>) -> Self {
        Self(Budget::new(name, config, clock, shared))
    }

    /// Forgets the clients whose requests have all left the window; call it now and then, so that memory comes back.
    pub fn sweep(&self) {
        self.0.sweep();
    }
}

fn refuse(request: ServiceRequest, refused: &Exhausted) -> ServiceResponse<BoxBody> {
    let Exhausted { headers, window_secs } = refused;
    let mut response = request.error_response(ApiError::RateLimited(*window_secs));
    put(headers, &mut response);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*window_secs));
    response
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
        ready(Ok(LimitService { service: Rc::new(service), budget: self.0.clone() }))
    }
}

/// What [`Limit`] turns a service into.
pub struct LimitService<S> {
    /// Shared with requests that wait for the other replicas' word.
    service: Rc<S>,
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
        let key = match ClientKeyExtractor.extract(&request) {
            Ok(key) => key,
            Err(error) => return Box::pin(ready(Ok(request.error_response(error)))),
        };
        match self.budget.count(key) {
            None => {
                let inner = self.service.call(request);
                Box::pin(async move { Ok(inner.await?.map_into_boxed_body()) })
            }
            Some(Counted::Decided(Ok(headers), _)) => Box::pin(serve(&*self.service, request, headers)),
            Some(Counted::Decided(Err(refused), _)) => Box::pin(ready(Ok(refuse(request, &refused)))),
            Some(Counted::Open(open)) => {
                let service = Rc::clone(&self.service);
                Box::pin(async move {
                    match open.settle().await.0 {
                        Ok(headers) => serve(&*service, request, headers).await,
                        Err(refused) => Ok(refuse(request, &refused)),
                    }
                })
            }
        }
    }
}

/// Calls at once, and answers with the headers.
fn serve<S, B>(
    service: &S,
    request: ServiceRequest,
    headers: StateHeaders,
) -> impl Future<Output = Result<ServiceResponse<BoxBody>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    // An error carries no request, and without one there is no response to put the headers on.
    let kept = request.request().clone();
    // With the edge as well, for answers that never come through here: timeouts and panics.
    if let Some(context) = RequestContext::of(request.request()) {
        headers.promise(&context);
    }
    let inner = service.call(request);
    async move {
        let mut response = match inner.await {
            Ok(response) => response.map_into_boxed_body(),
            Err(error) => ServiceResponse::from_err(error, kept),
        };
        put(&headers, &mut response);
        Ok(response)
    }
}

#[cfg(test)]
#[path = "middleware_tests.rs"]
mod tests;
