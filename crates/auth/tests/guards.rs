//! The guards of a service that knows its callers by their tokens alone, and the example service as a whole.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/ledger_service.rs"]
mod ledger_service;

use actix_web::{
    App, HttpResponse, ResponseError,
    http::StatusCode,
    test::{TestRequest, call_and_read_body, call_service, init_service},
    web,
};
use sme_pulse_auth::{
    AccessError,
    guard::{CurrentUser, Observer, OptionalUser, ReadUsers, RecentUser, SignedIn, authenticator},
    remote::Remote,
    testing::Issuer,
};
use sme_pulse_domain::role::Role;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(#[from] AccessError);

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match &self.0 {
            AccessError::Forbidden { .. } | AccessError::StepUpRequired { .. } => StatusCode::FORBIDDEN,
            AccessError::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            AccessError::Undecided(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

async fn anybody(caller: OptionalUser<Refused>) -> String {
    format!("{:?}", caller.scope().map(|scope| scope.org().get()))
}

async fn signed_in(caller: CurrentUser<SignedIn, Refused>) -> String {
    format!("{} of {}", caller.principal().user_id(), caller.scope().org())
}

async fn ok<G>(_: G) -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/anybody", web::get().to(anybody))
        .route("/signed-in", web::get().to(signed_in))
        .route("/users", web::get().to(ok::<CurrentUser<ReadUsers, Refused>>))
        .route("/recent", web::get().to(ok::<RecentUser<SignedIn, Refused, 5>>))
        .route("/observer", web::get().to(ok::<Observer<ReadUsers, Refused>>));
}

async fn ask(issuer: &Issuer, path: &str, headers: &[&str]) -> (u16, String) {
    let app = init_service(App::new().app_data(authenticator(issuer.verifier())).configure(routes)).await;
    let mut request = TestRequest::get().uri(path);
    for value in headers {
        request = request.append_header(("Authorization", *value));
    }
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    let body = actix_web::test::read_body(response).await;
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[actix_web::test]
async fn an_optional_user_is_nobody_only_without_a_header() {
    let issuer = Issuer::new();
    let good = format!("Bearer {}", issuer.token().org(3).mint());
    let expired = format!("Bearer {}", issuer.token().lives(-60).mint());
    assert_eq!(ask(&issuer, "/anybody", &[]).await, (200, "None".to_owned()));
    assert_eq!(ask(&issuer, "/anybody", &[&good]).await, (200, "Some(3)".to_owned()));
    for bad in ["Bearer x", "Bearer ", "Bearer", "Basic dXNlcjpw", "", &expired] {
        assert_eq!(ask(&issuer, "/anybody", &[bad]).await.0, 401, "{bad}");
    }
    assert_eq!(ask(&issuer, "/anybody", &[&good, &good]).await.0, 401, "two headers");
}

#[actix_web::test]
async fn whoever_is_signed_in_passes_where_nothing_else_is_asked() {
    let issuer = Issuer::new();
    let nobody = format!("bearer {}", issuer.token().user(7).org(3).roles([]).mint());
    assert_eq!(ask(&issuer, "/signed-in", &[&nobody]).await, (200, "7 of 3".to_owned()));
    assert_eq!(ask(&issuer, "/signed-in", &[]).await.0, 401);
    assert_eq!(ask(&issuer, "/users", &[&nobody]).await.0, 403);
}

#[actix_web::test]
async fn the_issuers_permissions_are_judged_by_the_roles_of_the_token() {
    let issuer = Issuer::new();
    for (role, status) in [(Role::Admin, 200), (Role::Cashier, 403)] {
        let token = format!("Bearer {}", issuer.token().roles([role]).mint());
        assert_eq!(ask(&issuer, "/users", &[&token]).await.0, status);
        assert_eq!(ask(&issuer, "/observer", &[&token]).await.0, status);
    }
}

#[actix_web::test]
async fn a_token_alone_proves_nothing_recent() {
    let issuer = Issuer::new();
    let token = format!("Bearer {}", issuer.token().mint());
    assert_eq!(ask(&issuer, "/recent", &[&token]).await.0, 403);
}

#[actix_web::test]
async fn without_an_authenticator_no_door_is_open() {
    let issuer = Issuer::new();
    let app = init_service(App::new().configure(routes)).await;
    for path in ["/anybody", "/signed-in", "/users"] {
        let header = ("Authorization", format!("Bearer {}", issuer.token().mint()));
        let request = TestRequest::get().uri(path).append_header(header).to_request();
        assert_eq!(call_service(&app, request).await.status(), 500, "{path}");
    }
    let request = TestRequest::get().uri("/anybody").to_request();
    assert_eq!(call_and_read_body(&app, request).await, "None", "there was no token to look at");
}

#[actix_web::test]
async fn the_example_does_not_start_without_an_issuer_and_a_key() {
    for (issuer, key) in [("", "smes_x"), ("not an address", "smes_x"), ("https://auth.example.com", "")] {
        assert!(ledger_service::verifier(Remote::at(issuer), key.to_owned()).is_err(), "{issuer:?} {key:?}");
    }
}

#[actix_web::test]
async fn the_example_serves_who_may_and_refuses_who_may_not() {
    let issuer = Issuer::new();
    let (server, addresses) = ledger_service::serve(issuer.verifier(), "127.0.0.1:0").unwrap();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let owner = issuer.token().user(7).org(3).mint();
    let cashier = issuer.token().roles([Role::Cashier]).mint();
    for (line, token, status, text) in [
        ("GET /health", None, "200", "ok"),
        ("GET /greeting", None, "200", "hello, stranger"),
        ("GET /greeting", Some(&owner), "200", "hello, user 7"),
        ("POST /books/close", None, "401", "refused"),
        ("POST /books/close", Some(&cashier), "403", "refused"),
        ("POST /books/close", Some(&owner), "200", "the books of organization 3 are closed"),
    ] {
        let mut stream = TcpStream::connect(addresses[0]).await.unwrap();
        let header = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.ends_with(text), "{line}: {answer}");
    }
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}
