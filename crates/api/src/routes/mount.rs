//! How a resource is declared: its paths, the handler of each method, and what holds for all of them. The access of a
//! method follows from its handler's signature.
//!
//! Every path is answered with and without a trailing slash, `HEAD` wherever `GET` is, any other method with 405 and
//! `Allow`. Checks run in one order everywhere: path, then the limiter (it wraps the whole resource, 405 included),
//! then method, body size, token, role, inputs.

use actix_service::boxed::{self, BoxService};
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, FromRequest, Handler, Responder, Route};
use sme_pulse_domain::permission::Permission;
use std::future::ready;
use std::rc::Rc;

use super::{
    body_stage::BodyStage,
    signature::{Guarded, Open},
};
use crate::error::ApiError;
use crate::metrics::{HttpMetrics, Named, RouteName};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Callers with a valid token whose roles grant this.
    Needs(Permission),
}

/// One mounted route, for the access table and the API description. Aliases are routes of their own; `HEAD` and the
/// trailing slash are not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method declared.
    pub method: Method,
    /// The path without a trailing slash, with `{name}` for its variable segments.
    pub path: String,
    /// Who may call it.
    pub access: Access,
    /// Within how many minutes the caller must have proved who they are, where the route asks for that.
    pub max_age: Option<u32>,
}

struct Entry {
    method: Method,
    access: Access,
    max_age: Option<u32>,
    build: Box<dyn Fn(Method) -> Route>,
}

/// One resource under one path and its aliases.
pub struct Resource {
    paths: Vec<String>,
    entries: Vec<Entry>,
    no_store: bool,
}

impl Resource {
    /// A resource at a path such as `/api/v1/invoices/{id}`.
    pub fn at(path: impl Into<String>) -> Self {
        Self { paths: vec![path.into()], entries: Vec::new(), no_store: false }
    }

    /// The same resource, with the same handlers and layers, at another path as well.
    #[must_use]
    pub fn also_at(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// All answers carry `Cache-Control: no-store`. Resources with a route behind a token do so by themselves.
    #[must_use]
    pub fn no_store(mut self) -> Self {
        self.no_store = true;
        self
    }

    /// The handler of a method for signed-in callers. Who may call it is what its first argument says, and nothing else
    /// says it: a handler without a guard does not compile here.
    ///
    /// ```compile_fail,E0277
    /// # use sme_pulse_api::routes::mount::Resource;
    /// let _ = Resource::at("/secrets").get(async || "for everybody");
    /// ```
    #[must_use]
    pub fn on<F, Args>(self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: Guarded + 'static,
        F::Output: Responder + 'static,
    {
        let (access, max_age) = (Access::Needs(Args::PERMISSION), Args::MAX_AGE_MINUTES);
        self.entry(method, (access, max_age), handler).no_store()
    }

    /// [`on`](Self::on) `GET`, and `HEAD` with it.
    #[must_use]
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, handler)
    }

    /// [`on`](Self::on) `POST`.
    #[must_use]
    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::POST, handler)
    }

    /// [`on`](Self::on) `PUT`.
    #[must_use]
    pub fn put<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::PUT, handler)
    }

    /// [`on`](Self::on) `DELETE`.
    #[must_use]
    pub fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::DELETE, handler)
    }

    /// `GET` for everybody, and `HEAD` with it. A handler with a guard does not compile here.
    #[must_use]
    pub fn open_get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: Open + 'static,
        F::Output: Responder + 'static,
    {
        self.entry(Method::GET, (Access::Public, None), handler)
    }

    /// `POST` for everybody.
    #[must_use]
    pub fn open_post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: Open + 'static,
        F::Output: Responder + 'static,
    {
        self.entry(Method::POST, (Access::Public, None), handler)
    }

    fn entry<F, Args>(mut self, method: Method, (access, max_age): (Access, Option<u32>), handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let build = Box::new(move |method| web::method(method).to(handler.clone()));
        self.entries.push(Entry { method, access, max_age, build });
        self
    }

    /// The methods answered, `HEAD` included.
    fn methods(&self) -> Vec<Method> {
        let declared = self.entries.iter().map(|entry| entry.method.clone());
        let head = self.entries.iter().any(|entry| entry.method == Method::GET).then_some(Method::HEAD);
        declared.chain(head).collect()
    }

    /// Every spelling of every path. Spellings are separate resources of the router, because comparing fixed text
    /// is an order of magnitude cheaper than one pattern for all.
    fn spellings(&self) -> impl Iterator<Item = String> {
        self.paths.iter().flat_map(|path| {
            let slashed = (!path.ends_with('/')).then(|| format!("{path}/"));
            std::iter::once(path.clone()).chain(slashed)
        })
    }

    fn build(&self, path: &str) -> actix_web::Resource {
        let methods = self.methods();
        let allow: String = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let mut resource = web::resource(path.to_owned());
        for entry in &self.entries {
            resource = resource.route((entry.build)(entry.method.clone()));
            if entry.method == Method::GET {
                resource = resource.route((entry.build)(Method::HEAD));
            }
        }
        resource.default_service(web::to(move || {
            let error = ApiError::MethodNotAllowed(allow.clone());
            ready(Err::<&'static str, _>(error))
        }))
    }
}

/// Mounts resources and keeps the list of what it mounted.
pub struct Table<'a> {
    config: &'a mut ServiceConfig,
    max_body: usize,
    metrics: Option<&'a HttpMetrics>,
    routes: Vec<RouteInfo>,
}

impl<'a> Table<'a> {
    /// An empty table over an application; request bodies are limited to so many bytes.
    pub fn new(config: &'a mut ServiceConfig, max_body: usize) -> Self {
        Self { config, max_body, metrics: None, routes: Vec::new() }
    }

    /// The same, and requests are counted by their route.
    #[must_use]
    pub fn counted(self, metrics: Option<&'a HttpMetrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Mounts a resource.
    pub fn add(&mut self, resource: &Resource) {
        let named = self.named(resource);
        for path in resource.spellings() {
            let stage = self.stage(resource);
            self.config.service(resource.build(&path).wrap(stage).wrap(named.clone()));
        }
        self.list(resource);
    }

    /// Mounts a resource behind a layer, such as a rate limiter, that sees every request the path gets, with one state
    /// for all spellings of the path.
    pub fn add_behind<M, B>(&mut self, resource: &Resource, layer: M)
    where
        M: Transform<
                BoxService<ServiceRequest, ServiceResponse, Error>,
                ServiceRequest,
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        M::Transform: 'static,
        B: MessageBody + 'static,
    {
        let (layer, named) = (Rc::new(layer), self.named(resource));
        for path in resource.spellings() {
            let behind = Behind { stage: self.stage(resource), layer: Rc::clone(&layer) };
            self.config.service(resource.build(&path).wrap(behind).wrap(named.clone()));
        }
        self.list(resource);
    }

    /// What was mounted.
    pub fn finish(self) -> Vec<RouteInfo> {
        self.routes
    }

    /// All paths of a resource under the first of them.
    fn named(&self, resource: &Resource) -> Named {
        let template = resource.paths.first().map_or("", String::as_str);
        Named(Rc::new(RouteName::new(template, self.metrics)))
    }

    fn stage(&self, resource: &Resource) -> BodyStage {
        BodyStage { methods: resource.methods().into(), max: self.max_body, no_store: resource.no_store }
    }

    fn list(&mut self, resource: &Resource) {
        for path in &resource.paths {
            self.routes.extend(resource.entries.iter().map(|entry| RouteInfo {
                method: entry.method.clone(),
                path: path.clone(),
                access: entry.access,
                max_age: entry.max_age,
            }));
        }
    }
}

/// The body stage with a layer around it. The service between them is boxed, so that its type has a name.
struct Behind<M> {
    stage: BodyStage,
    layer: Rc<M>,
}

impl<S, M> Transform<S, ServiceRequest> for Behind<M>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
    S::Future: 'static,
    M: Transform<BoxService<ServiceRequest, ServiceResponse, Error>, ServiceRequest, Error = Error>,
{
    type Response = M::Response;
    type Error = Error;
    type Transform = M::Transform;
    type InitError = M::InitError;
    type Future = M::Future;

    fn new_transform(&self, service: S) -> Self::Future {
        self.layer.new_transform(boxed::service(self.stage.around(service)))
    }
}
