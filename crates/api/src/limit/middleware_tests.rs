//! Tests of the middleware on real resources.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use actix_web::{
    App, HttpMessage, HttpResponse,
    http::StatusCode,
    middleware::from_fn,
    test::{TestRequest, call_service, init_service},
    web,
};
use chrono::{DateTime, Utc};

use super::*;
use crate::{client_ip::ClientAddress, error::Reason};

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
    Limit::new("login", CONFIG, clock.clone())
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

#[actix_web::test]
async fn the_resolved_client_counts_rather_than_the_peer() {
    let app =
        App::new().service(web::resource("/login").wrap(limited(&Arc::default())).route(web::post().to(answer)).wrap(
            from_fn(async |request: ServiceRequest, next: actix_web::middleware::Next<BoxBody>| {
                let name = request.headers().get("client").unwrap().to_str().unwrap();
                let address: IpAddr = name.parse().unwrap();
                request.extensions_mut().insert(ClientAddress(address));
                next.call(request).await
            }),
        ));
    let app = init_service(app).await;
    for (client, passes) in [
        ("2001:db8::1", true),
        ("2001:db8::2", true),
        ("2001:db8::3", false),
        ("2001:db8:0:1::1", true),
        ("192.0.2.7", true),
        ("::ffff:192.0.2.7", true),
        ("192.0.2.7", false),
    ] {
        let response = call_service(&app, from("10.0.0.1").insert_header(("client", client)).to_request()).await;
        assert_eq!(response.response().error().is_none(), passes, "{client}");
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
    let limit = Limit::new("login", LimitConfig { enabled: false, ..CONFIG }, Arc::<TestClock>::default());
    let app = App::new().service(web::resource("/login").wrap(limit).route(web::post().to(answer)));
    let app = init_service(app).await;
    for _ in 0..5 {
        let response = call_service(&app, from("192.0.2.1").to_request()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!((header(&response, "RateLimit"), header(&response, "RateLimit-Policy")), (None, None));
    }
}
