//! Tests of the middleware on real resources.

use std::time::Duration;

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{
    App, HttpResponse,
    http::StatusCode,
    middleware::from_fn,
    test::{TestRequest, call_service, init_service},
    web,
};
use chrono::{DateTime, Utc};
use sme_pulse_domain::rng::Rng;

use super::*;
use crate::{
    client_ip::ClientResolver,
    edge::{Edge, EdgeParts, Origins},
    error::Reason,
    routes::mount::{Resource, Table},
};

#[derive(Default)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

const CONFIG: LimitConfig = LimitConfig { enabled: true, requests: 2, window: Duration::from_mins(1) };

fn limited(clock: &Arc<TestClock>) -> Limit {
    Limit::new("login", CONFIG, clock.clone(), None)
}

fn header<'r>(response: &'r ServiceResponse, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn answer() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn from(address: &str) -> TestRequest {
    TestRequest::post().uri("/login").peer_addr(std::net::SocketAddr::new(address.parse().unwrap(), 4711))
}

#[actix_web::test]
async fn any_method_counts_and_the_third_request_is_refused_with_its_headers() {
    let clock = Arc::new(TestClock::default());
    let resource = || web::resource(["/login", "/login/"]).wrap(limited(&clock)).route(web::post().to(answer));
    let app = init_service(App::new().service(resource())).await;
    let first = call_service(&app, from("192.0.2.1").to_request()).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(header(&first, "RateLimit-Policy"), Some("\"login\";q=2;w=60"));
    assert_eq!(header(&first, "RateLimit"), Some("\"login\";r=1;t=60"));
    clock.0.store(10, Ordering::Relaxed);
    let second =
        call_service(&app, from("192.0.2.1").method(actix_web::http::Method::PUT).uri("/login/").to_request()).await;
    assert_eq!(second.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&second, "RateLimit"), Some("\"login\";r=0;t=50"));
    let third = call_service(&app, from("192.0.2.1").to_request()).await;
    assert!(matches!(third.response().error().unwrap().as_error(), Some(ApiError::RateLimited(60))));
    assert_eq!(header(&third, "RateLimit"), Some("\"login\";r=0;t=50"));
    assert_eq!(header(&third, "RateLimit-Policy"), Some("\"login\";q=2;w=60"));
    assert_eq!(header(&third, "Retry-After"), Some("60"));
    assert_eq!(call_service(&app, from("192.0.2.2").to_request()).await.status(), StatusCode::OK);
    clock.0.store(60, Ordering::Relaxed);
    assert_eq!(call_service(&app, from("192.0.2.1").to_request()).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn clones_on_other_resources_and_workers_share_the_budget() {
    let limit = limited(&Arc::default());
    let app = || {
        let limit = limit.clone();
        App::new()
            .service(web::resource("/login").wrap(limit.clone()).route(web::post().to(answer)))
            .service(web::scope("/api/v1").service(web::resource("/login").wrap(limit).route(web::post().to(answer))))
    };
    let (one, other) = (init_service(app()).await, init_service(app()).await);
    assert_eq!(call_service(&one, from("192.0.2.1").to_request()).await.status(), StatusCode::OK);
    assert_eq!(
        call_service(&other, from("192.0.2.1").uri("/api/v1/login").to_request()).await.status(),
        StatusCode::OK
    );
    let third = call_service(&one, from("192.0.2.1").to_request()).await;
    assert!(third.response().error().is_some());
}

struct Zeroes;

impl Rng for Zeroes {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// The edge, trusting 10.0.0.0/8 as proxies.
fn edge(clock: &Arc<TestClock>) -> Edge {
    let resolver = ClientResolver::new(vec!["10.0.0.0/8".parse().unwrap()]);
    Edge::new(EdgeParts {
        clock: clock.clone(),
        rng: Arc::new(Zeroes),
        origins: Origins::Only(Vec::new()),
        timeout: Duration::from_mins(1),
        resolve_client: Arc::new(move |peer, headers| resolver.resolve(peer, headers)),
        trust_peer: Arc::new(|_| false),
        log_access: Arc::new(|_| ()),
        metrics: None,
    })
}

#[actix_web::test]
async fn the_client_behind_a_trusted_proxy_counts_on_every_path_of_the_resource() {
    let clock = Arc::new(TestClock::default());
    let mount = |config: &mut web::ServiceConfig| {
        let mut table = Table::new(config, 1_000);
        let resource = Resource::at("/login").also_at("/api/v1/login").open_post(answer);
        table.add_behind(&resource, limited(&clock));
        table.finish();
    };
    let app = init_service(App::new().configure(mount).wrap(edge(&clock))).await;
    for (path, peer, forwarded, passes) in [
        ("/login", "10.0.0.1", "2001:db8::1", true),
        ("/api/v1/login", "10.0.0.1", "2001:db8::2", true),
        ("/login/", "10.0.0.1", "2001:db8::3", false),
        ("/login", "10.0.0.1", "2001:db8:0:1::1", true),
        ("/login", "10.0.0.1", "192.0.2.7", true),
        ("/login", "10.0.0.2", "::ffff:192.0.2.7", true),
        ("/%6cogin", "192.0.2.7", "192.0.2.8", false),
        ("/api/v1/login/", "10.0.0.1", "9.9.9.9, 192.0.2.7", false),
    ] {
        let request = from(peer).uri(path).insert_header(("x-forwarded-for", forwarded)).to_request();
        let status = call_service(&app, request).await.status();
        let expected = if passes { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(status, expected, "{path} {peer} {forwarded}");
    }
}

#[actix_web::test]
async fn an_error_from_inside_keeps_its_cause_and_gets_the_headers() {
    let failing = from_fn(async |_: ServiceRequest, _: actix_web::middleware::Next<BoxBody>| {
        Err::<ServiceResponse<BoxBody>, _>(ApiError::Internal(Reason("inside".to_owned())).into())
    });
    let resource = web::resource("/login").wrap(failing).wrap(limited(&Arc::default())).route(web::post().to(answer));
    let app = init_service(App::new().service(resource)).await;
    let response = call_service(&app, from("192.0.2.1").to_request()).await;
    assert!(matches!(response.response().error().unwrap().as_error(), Some(ApiError::Internal(_))));
    assert_eq!(header(&response, "RateLimit"), Some("\"login\";r=1;t=60"));
}

#[actix_web::test]
async fn switched_off_it_neither_counts_nor_speaks() {
    let limit = Limit::new("login", LimitConfig { enabled: false, ..CONFIG }, Arc::<TestClock>::default(), None);
    let app = App::new().service(web::resource("/login").wrap(limit).route(web::post().to(answer)));
    let app = init_service(app).await;
    for _ in 0..5 {
        let response = call_service(&app, from("192.0.2.1").to_request()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!((header(&response, "RateLimit"), header(&response, "RateLimit-Policy")), (None, None));
    }
}
