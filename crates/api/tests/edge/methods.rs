//! Paths and methods: both spellings, HEAD, Allow, and what is another path.

use actix_web::App;
use actix_web::http::Method;
use sme_pulse_api::routes::mount::Access;

use crate::app::{TestServer, mount};
use crate::client::{Client, get, once};

#[test]
fn head_is_answered_wherever_get_is_and_has_no_body() {
    let server = TestServer::start();
    let mut client = Client::connect(server.address);
    for path in ["/health", "/items/5/", "/nowhere", "/panic"] {
        let got = client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).answer();
        let head = client.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n")).head_answer();
        assert_eq!(head.status, got.status);
        assert_eq!(head.one("content-length"), got.one("content-length"));
    }
    let refused = client.send("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n").head_answer();
    assert_eq!((refused.status, refused.one("allow")), (405, "POST"));
}

#[test]
fn a_trailing_slash_is_the_same_path_and_anything_else_another() {
    let server = TestServer::start();
    for path in ["/health", "/health/", "/items/5", "/items/5/", "/%68ealth"] {
        assert_eq!(get(server.address, path).status, 200, "{path}");
    }
    for path in [
        "//health",
        "/health//",
        "/Health",
        "/./health",
        "/x/../health",
        "/%2e/health",
        "/x/%2e%2e/health",
        "/health/.",
        "/health%2F",
        "/items//5",
        "/items/5/6",
        "/",
    ] {
        get(server.address, path).assert_error(404, "not_found");
    }
}

#[test]
fn an_absolute_target_is_the_same_path() {
    let server = TestServer::start();
    assert_eq!(once(server.address, "GET http://x/health HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    once(server.address, "GET http://x//health HTTP/1.1\r\nHost: x\r\n\r\n").assert_error(404, "not_found");
}

#[test]
fn a_wrong_method_is_405_with_allow() {
    let server = TestServer::start();
    for (line, allow) in [
        ("POST /health", "GET, HEAD"),
        ("PATCH /items/5", "GET, DELETE, HEAD"),
        ("TRACE /health", "GET, HEAD"),
        ("BREW /v1/echo/", "POST"),
        ("GET /limited", "POST"),
    ] {
        let answer = once(server.address, format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"));
        answer.assert_error(405, "method_not_allowed");
        assert_eq!(answer.one("allow"), allow, "{line}");
    }
}

#[test]
fn connect_opens_no_tunnel() {
    let server = TestServer::start();
    for target in ["x:443", "/health"] {
        let mut client = Client::connect(server.address);
        let answer = client.send(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n")).answer();
        answer.assert_error(405, "method_not_allowed");
        assert!(!answer.one("allow").is_empty());
        client.send_if_open("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.rest(), "");
    }
}

#[test]
fn a_layer_around_a_resource_sees_wrong_methods_too() {
    let server = TestServer::start();
    for line in ["POST /limited", "GET /limited/", "BREW /limited"] {
        let over = once(server.address, format!("{line} HTTP/1.1\r\nHost: x\r\nX-Over: 1\r\n\r\n"));
        over.assert_error(429, "rate_limited");
        let within = once(server.address, format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(within.one("ratelimit"), "\"login\";r=4;t=60");
        assert_eq!(within.one("cache-control"), "no-store");
    }
}

#[test]
fn the_table_lists_every_route_with_its_access() {
    let mut routes = Vec::new();
    let _app = App::new().configure(|config| routes = mount(config));
    let has = |method: Method, path: &str| routes.iter().find(|r| r.method == method && r.path == path);
    assert_eq!(has(Method::GET, "/health").unwrap().access, Access::Public);
    assert!(has(Method::POST, "/echo").is_some() && has(Method::POST, "/v1/echo").is_some());
    assert!(matches!(has(Method::DELETE, "/items/{id}").unwrap().access, Access::Needs(_)));
    assert!(has(Method::POST, "/limited").is_some());
    assert!(has(Method::HEAD, "/health").is_none() && has(Method::GET, "/health/").is_none());
}
