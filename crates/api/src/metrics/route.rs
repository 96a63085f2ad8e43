//! A route's name, and the layer around a resource that tells it to the edge before anything else sees the request.

use std::{
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
};

use actix_web::{
    Error,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};

use super::http::{HttpMetrics, Series};
use crate::edge::RequestContext;

/// What a request is counted and traced as: the template of its path, never the path.
pub struct RouteName {
    template: Box<str>,
    series: Option<Arc<Series>>,
}

impl std::fmt::Debug for RouteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RouteName").field(&self.template).finish()
    }
}

impl RouteName {
    /// A route with its series, where requests are counted.
    pub fn new(template: &str, metrics: Option<&HttpMetrics>) -> Self {
        Self { template: template.into(), series: metrics.map(|metrics| metrics.series(template)) }
    }

    /// The path with `{name}` for its variable segments, without a trailing slash.
    pub fn template(&self) -> &str {
        &self.template
    }

    pub(super) fn series(&self) -> Option<&Arc<Series>> {
        self.series.as_ref()
    }
}

/// The layer: the outermost wrap of a resource. All spellings of a path and its aliases have one route.
#[derive(Clone)]
pub struct Named(pub Rc<RouteName>);

impl<S, B> Transform<S, ServiceRequest> for Named
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = NamedService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(NamedService { service, route: Rc::clone(&self.0) }))
    }
}

/// What [`Named`] turns a service into.
pub struct NamedService<S> {
    service: S,
    route: Rc<RouteName>,
}

impl<S, B> Service<ServiceRequest> for NamedService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = S::Future;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        if let Some(context) = RequestContext::of(req.request()) {
            context.enter(Rc::clone(&self.route));
        }
        self.service.call(req)
    }
}
