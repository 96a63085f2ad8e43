//! Wiring: configuration in, a served application out. The binary and the tests use the same one.

use std::{
    net::{IpAddr, TcpListener},
    sync::Arc,
};

use actix_web::{
    App, HttpResponse,
    web::{self, Bytes, Data},
};
use serde::Serialize;
use sme_pulse_auth::{guard::Authenticate, service::AuthService};
use sme_pulse_domain::{clock::Clock, rng::Rng};
use sme_pulse_finance::Finance;
use sme_pulse_persistence::Store;
use tracing_actix_web::TracingLogger;
use utoipa::ToSchema;

use crate::{
    client_ip::ClientResolver,
    config::{AllowedOrigins, Config},
    console::{self, ConsoleSite},
    docs::{self, DocsError, DocsSite},
    edge::{Edge, EdgeParts, Origins},
    error::ApiError,
    input::BodyLimit,
    limit::{LimitConfig, SharedLog},
    metrics::HttpMetrics,
    routes::{self, DeviceCookie, Followers, Issuer, Limits, RouteSettings, RunningKeys, mount::RouteInfo},
    server::{self, Bounds, Departure, Listening},
    telemetry,
    trace::LeanSpan,
};

/// The application's parts, shared by all workers. Clones are cheap.
#[derive(Clone)]
pub struct Application {
    edge: Edge,
    routes: RouteSettings,
    docs: Option<Arc<DocsSite>>,
    console: Option<Arc<ConsoleSite>>,
    info: Data<ServiceInfo>,
    device_cookie: DeviceCookie,
    store: Data<Store>,
    auth: Data<AuthService>,
    finance: Data<Finance>,
    running_keys: Data<RunningKeys>,
    address: PublicAddress,
    followers: Data<Followers>,
    departure: Data<Departure>,
}

/// What this service calls itself, and where others reach it.
#[derive(Clone)]
struct PublicAddress {
    issuer: String,
    /// `None` for where it listens.
    url: Option<String>,
    host: String,
}

/// What `GET /` answers, written once.
pub struct ServiceInfo(Bytes);

/// Which service this is.
#[derive(Serialize, ToSchema)]
pub struct ServiceView<'a> {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    status: &'a str,
    /// Always `SME Pulse Backend`.
    #[schema(example = "SME Pulse Backend")]
    service: &'a str,
    /// The version of the API.
    #[schema(example = "1.0.0")]
    version: &'a str,
    /// `BACKEND_ENVIRONMENT`.
    #[schema(example = "development")]
    environment: &'a str,
}

impl ServiceInfo {
    fn new(environment: &str) -> Self {
        let view = ServiceView { status: "healthy", service: "SME Pulse Backend", version: "1.0.0", environment };
        // Strings cannot fail to serialize.
        Self(serde_json::to_vec(&view).unwrap_or_default().into())
    }

    /// The JSON text.
    pub fn body(&self) -> Bytes {
        self.0.clone()
    }
}

impl Application {
    /// Puts the parts together.
    pub fn new(
        config: &Config,
        store: Store,
        auth: AuthService,
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
    ) -> Result<Self, DocsError> {
        let sign_up = config.server.signup_enabled;
        let document = || if sign_up { routes::openapi() } else { routes::openapi_without_sign_up() };
        let docs = config.server.docs_enabled.then(|| DocsSite::new(&document())).transpose()?;
        let shared = config.rate_limit.redis.clone().map(SharedLog::new);
        let limits = Limits::new(limit(config), clock, shared);
        Ok(Self {
            edge: edge(config, Arc::clone(clock), Arc::clone(rng)),
            routes: RouteSettings { max_body: config.server.max_body_bytes, limits, sign_up, metrics: None },
            docs: docs.map(Arc::new),
            console: config.server.console_enabled.then(|| Arc::new(ConsoleSite::new())),
            info: Data::new(ServiceInfo::new(config.environment.name())),
            device_cookie: DeviceCookie { development: config.environment.is_development() },
            finance: Data::new(Finance::new(store.clone(), Arc::clone(clock))),
            running_keys: Data::default(),
            address: PublicAddress {
                issuer: config.tokens.issuer.clone(),
                url: config.server.api_url.clone(),
                host: config.server.host.clone(),
            },
            followers: Data::default(),
            departure: Data::default(),
            store: Data::new(store),
            auth: Data::new(auth),
        })
    }

    /// The same, and requests are counted.
    #[must_use]
    pub fn counted(mut self, metrics: Arc<HttpMetrics>) -> Self {
        self.edge = self.edge.counted(Arc::clone(&metrics));
        self.routes.metrics = Some(metrics);
        self
    }

    /// Prepares a server on a bound listener.
    pub fn listen(self, listener: TcpListener, workers: usize) -> std::io::Result<Listening> {
        let outermost = self.edge.clone();
        let base = self.address.base(listener.local_addr()?.port());
        let issuer = Data::new(Issuer::new(&self.address.issuer, &base, &self.route_table()));
        server::listen(listener, Bounds::for_workers(workers), outermost.clone(), move || {
            let (app, issuer) = (self.clone(), issuer.clone());
            App::new()
                .app_data(issuer)
                .configure(move |config| app.configure(config))
                .wrap(TracingLogger::<LeanSpan>::new())
                .wrap(outermost.clone())
        })
    }

    /// The budgets of requests, to be swept now and then.
    pub fn limits(&self) -> &Limits {
        &self.routes.limits
    }

    /// Who follows revocations, to be ended first when the server stops.
    pub fn followers(&self) -> Arc<Followers> {
        self.followers.clone().into_inner()
    }

    /// Whether the server has been told to stop; `/health/ready` tells it.
    pub fn departure(&self) -> Arc<Departure> {
        self.departure.clone().into_inner()
    }

    /// The authentication service, for what it does without a request.
    pub fn auth(&self) -> Arc<AuthService> {
        self.auth.clone().into_inner()
    }

    /// What is mounted, for the access table and the API description.
    pub fn route_table(&self) -> Vec<RouteInfo> {
        let mut table = Vec::new();
        let _ = App::new().configure(|config| table = routes::mount(config, &self.routes));
        table
    }

    fn configure(self, config: &mut web::ServiceConfig) {
        let authenticator: Arc<dyn Authenticate> = self.auth.clone().into_inner();
        config
            .app_data(self.info.clone())
            .app_data(self.device_cookie)
            .app_data(self.store.clone())
            .app_data(self.auth.clone())
            .app_data(self.finance.clone())
            .app_data(self.running_keys.clone())
            .app_data(self.followers.clone())
            .app_data(self.departure.clone())
            .app_data(Data::new(self.routes.limits.clone()))
            .app_data(Data::from(authenticator))
            .app_data(BodyLimit(self.routes.max_body));
        routes::mount(config, &self.routes);
        let metrics = self.routes.metrics.as_deref();
        if let Some(site) = &self.docs {
            docs::configure(config, site, metrics);
        }
        if let Some(site) = &self.console {
            console::configure(config, site, metrics);
        }
        config.default_service(web::to(not_found));
    }
}

impl PublicAddress {
    /// Without a slash at its end. Who listens on all addresses is reached by this machine's own name.
    fn base(&self, port: u16) -> String {
        if let Some(url) = &self.url {
            return url.clone();
        }
        match self.host.parse::<IpAddr>() {
            Ok(any) if any.is_unspecified() => format!("http://localhost:{port}"),
            Ok(IpAddr::V6(address)) => format!("http://[{address}]:{port}"),
            _ => format!("http://{}:{port}", self.host),
        }
    }
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound("Not Found"))
}

fn edge(config: &Config, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Edge {
    let resolver = Arc::new(ClientResolver::new(config.trusted_proxies.clone()));
    let trusting = Arc::clone(&resolver);
    Edge::new(EdgeParts {
        clock,
        rng,
        origins: match &config.server.allowed_origins {
            AllowedOrigins::Any => Origins::Any,
            AllowedOrigins::These(list) => Origins::Only(list.clone()),
        },
        timeout: config.server.request_timeout,
        resolve_client: Arc::new(move |peer, headers| resolver.resolve(peer, headers)),
        trust_peer: Arc::new(move |peer| trusting.is_proxy(peer)),
        log_access: Arc::new(telemetry::log_access),
        metrics: None,
    })
}

fn limit(config: &Config) -> LimitConfig {
    let limit = &config.rate_limit;
    LimitConfig { enabled: limit.enabled, requests: limit.requests, window: limit.window }
}
