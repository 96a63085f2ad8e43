//! The application under test, and what it logged.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::ServerHandle;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{App, Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use sme_pulse_api::edge::{Edge, EdgeParts, Notice, Origins, RequestContext};
use sme_pulse_api::error::{ApiError, Issue, Loc, Rule};
use sme_pulse_api::routes::mount::{Resource, RouteInfo, Table};
use sme_pulse_api::routes::signature::Guard;
use sme_pulse_api::server::{self, Bounds, StopSignals};
use sme_pulse_api::telemetry::AccessRecord;
use sme_pulse_domain::clock::SystemClock;
use sme_pulse_domain::permission::Permission;
use sme_pulse_domain::rng::Rng;
use tokio::sync::Semaphore;

pub(crate) const MAX_BODY: usize = 100_000;

/// An access event as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Logged {
    pub(crate) request_id: String,
    pub(crate) line: String,
    pub(crate) client_ip: IpAddr,
    pub(crate) process_time: f64,
    pub(crate) caller: (Option<i64>, Option<i64>),
}

/// What the application and the test tell each other.
#[derive(Default)]
pub(crate) struct Shared {
    log: Mutex<Vec<Logged>>,
    written: Condvar,
    pub(crate) started: Mutex<Option<mpsc::Sender<()>>>,
}

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) shared: Arc<Shared>,
    /// Lets `/held` answer.
    pub(crate) release: Arc<Semaphore>,
    pub(crate) handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

struct ThreadRng;

impl Rng for ThreadRng {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with_timeout(Duration::from_secs(30))
    }

    pub(crate) fn with_timeout(timeout: Duration) -> Self {
        Self::with(timeout, Bounds::for_workers(1))
    }

    pub(crate) fn with(timeout: Duration, bounds: Bounds) -> Self {
        Self::run(timeout, bounds, false)
    }

    /// Stops on SIGTERM.
    pub(crate) fn until_signal() -> Self {
        Self::run(Duration::from_secs(30), Bounds::for_workers(1), true)
    }

    fn run(timeout: Duration, bounds: Bounds, signals: bool) -> Self {
        let shared = Arc::new(Shared::default());
        let release = Arc::new(Semaphore::new(0));
        let edge = Edge::new(parts(&shared, timeout));
        let (state, gate) = (Data::from(Arc::clone(&shared)), Data::from(Arc::clone(&release)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let outer = edge.clone();
                let factory = move || {
                    let app = App::new().app_data(state.clone()).app_data(gate.clone());
                    app.configure(|config| drop(mount(config))).wrap(edge.clone())
                };
                let listening = server::listen(listener, bounds, outer, factory).unwrap();
                let ready = (listening.address, listening.server.handle());
                // Runs when the server below first waits, so after it has asked for the signals.
                actix_web::rt::spawn(async move { tell.send(ready).unwrap() });
                if signals {
                    server::run_until_signal(
                        listening.server,
                        StopSignals::listen().unwrap(),
                        Default::default(),
                        || (),
                    )
                    .await
                    .unwrap();
                } else {
                    listening.server.await.unwrap();
                }
            });
        });
        let (address, handle) = told.recv().unwrap();
        Self { address, shared, release, handle, thread: Some(thread) }
    }

    /// The access events, once there are so many.
    pub(crate) fn log(&self, count: usize) -> Vec<Logged> {
        let log = self.shared.log.lock().unwrap();
        let wait = Duration::from_secs(30);
        let (log, late) = self.shared.written.wait_timeout_while(log, wait, |log| log.len() < count).unwrap();
        assert!(!late.timed_out(), "{count} events expected: {log:?}");
        log.clone()
    }

    /// A receiver that hears when `/held` or `/slow` runs.
    pub(crate) fn hear_start(&self) -> mpsc::Receiver<()> {
        let (tell, told) = mpsc::channel();
        *self.shared.started.lock().unwrap() = Some(tell);
        told
    }

    /// Waits until the server is gone.
    pub(crate) fn join(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

fn parts(shared: &Arc<Shared>, timeout: Duration) -> EdgeParts {
    let shared = Arc::clone(shared);
    EdgeParts {
        clock: Arc::new(SystemClock::default()),
        rng: Arc::new(ThreadRng),
        origins: Origins::Only(vec!["http://localhost:3000".into()]),
        timeout,
        resolve_client: Arc::new(|peer, _| peer),
        trust_peer: Arc::new(|_| false),
        log_access: Arc::new(move |record: &AccessRecord<'_>| {
            let line = format!("{} {} {}", record.method, record.path, record.status_code);
            shared.log.lock().unwrap().push(Logged {
                request_id: record.request_id.to_string(),
                line,
                client_ip: record.client_ip,
                process_time: record.process_time,
                caller: (record.user_id, record.org_id),
            });
            shared.written.notify_all();
        }),
        metrics: None,
    }
}

/// The table of the test application.
pub(crate) fn mount(config: &mut ServiceConfig) -> Vec<RouteInfo> {
    let mut table = Table::new(config, MAX_BODY);
    table.add(&Resource::at("/health").open_get(async || r#"{"status":"ok"}"#));
    table.add(&Resource::at("/echo").also_at("/v1/echo").open_post(async |body: Bytes| body));
    let item = Resource::at("/items/{id}").get(async |_: Anybody, id: web::Path<String>| id.into_inner());
    table.add(&item.delete(async |_: Anybody| HttpResponse::NoContent().finish()));
    table.add(&Resource::at("/panic").open_get(panicking).open_post(panicking));
    table.add(&Resource::at("/held").open_get(held).open_post(held));
    table.add(&Resource::at("/endless").open_get(endless));
    table.add(&Resource::at("/errors/{kind}").open_get(fail).open_post(fail));
    table.add(&Resource::at("/noted").open_get(noted));
    table.add_behind(&Resource::at("/limited").no_store().open_post(async || "in"), from_fn(limiter));
    table.finish()
}

/// A guard that lets everybody pass.
struct Anybody;

impl FromRequest for Anybody {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

impl Guard for Anybody {
    const PERMISSION: Permission = Permission::UseOwnAccount;
}

async fn panicking() -> &'static str {
    tokio::task::yield_now().await;
    panic!("the handler broke at a secret place")
}

async fn held(shared: Data<Shared>, gate: Data<Semaphore>) -> &'static str {
    if let Some(tell) = &*shared.started.lock().unwrap() {
        let _ = tell.send(());
    }
    gate.acquire().await.unwrap().forget();
    "released"
}

/// An answer without an end, which tells when it is dropped.
async fn endless(shared: Data<Shared>) -> HttpResponse {
    struct Tells(Data<Shared>);
    impl Drop for Tells {
        fn drop(&mut self) {
            if let Some(tell) = &*self.0.started.lock().unwrap() {
                let _ = tell.send(());
            }
        }
    }
    let chunk = async |tells: Tells| Some((Ok::<_, Error>(Bytes::from(vec![b'x'; 65_536])), tells));
    HttpResponse::Ok().streaming(Box::pin(futures_util::stream::unfold(Tells(shared), chunk)))
}

async fn noted(context: RequestContext) -> HttpResponse {
    context.identify(7, 3);
    context.notice(Notice::warn("Inactive user").reason("suspended"));
    context.notice(Notice::info("Successful login").email("a***@sme.com"));
    HttpResponse::Ok().insert_header(("X-Request-ID", "forged")).insert_header(("Server", "actix")).body("noted")
}

async fn fail(kind: web::Path<String>) -> Result<HttpResponse, Error> {
    let issue = Issue::new(vec![Loc::Name("body"), Loc::Name("email")], "Field required", "missing");
    Err(match kind.as_str() {
        "422" => ApiError::Invalid(vec![issue.clone(), issue]).into(),
        "429" => ApiError::RateLimited(60).into(),
        "500" => ApiError::internal("relation core.users is broken").into(),
        "501" => ApiError::NotImplemented("Dashboards are not available").into(),
        "503" => ApiError::unavailable("db.internal:5432 refused").into(),
        "409" => ApiError::rule(Rule::Conflict, "The tax code is taken").into(),
        "foreign" => actix_web::error::ErrorInternalServerError("db.internal refused"),
        "unauthorized" => actix_web::error::ErrorUnauthorized("whatever"),
        _ => ApiError::NotFound("Invoice not found").into(),
    })
}

async fn limiter(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if req.headers().contains_key("x-over") {
        return Ok(req.error_response(ApiError::RateLimited(60)).map_into_right_body());
    }
    let mut answer = next.call(req).await?;
    answer.headers_mut().insert("ratelimit".parse().unwrap(), "\"login\";r=4;t=60".parse().unwrap());
    assert!(answer.request().extensions().contains::<RequestContext>());
    Ok(answer.map_into_left_body())
}
