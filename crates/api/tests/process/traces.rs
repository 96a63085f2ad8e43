//! Traces: what reaches a collector, whose word counts, and that nobody waits for one that is away.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use serde_json::Value;

use crate::support::{Answer, BODY, Collector, Home, Server, elapsed, send};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

async fn home() -> Home {
    let home = Home::sqlite().await;
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    home
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap()).collect()
}

async fn log_in(server: &Server, traceparent: &str) -> Answer {
    let request = server.http.post(server.url("/auth/login/")).header("content-type", "application/json");
    send(request.header("traceparent", traceparent).body(BODY)).await.unwrap()
}

async fn health(server: &Server, traceparent: &str) {
    let request = server.http.get(server.url("/health")).header("traceparent", traceparent);
    assert_eq!(send(request).await.unwrap().status, 200);
}

fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == name);
    format!("{:?}", found.unwrap_or_else(|| panic!("no {name} in {span:?}")).value)
}

/// The access event of the next request.
async fn access(server: &mut Server) -> Value {
    server.heard("Request completed").await.unwrap()
}

#[tokio::test]
async fn a_request_behind_a_trusted_proxy_is_a_part_of_its_trace() {
    let collector = Collector::start().await;
    let mut home = home().await;
    home.set("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}", collector.address));
    home.set("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20hunter22").set("OTEL_RESOURCE_ATTRIBUTES", "zone=blue");
    home.set("BACKEND_TRUSTED_PROXIES", "127.0.0.1");
    let mut server = home.serve().await;
    assert_eq!(log_in(&server, &format!("00-{TRACE}-{PARENT}-01")).await.status, 200);
    assert_eq!(access(&mut server).await["trace_id"], TRACE);
    let request = collector.span("the request", |span| span.kind() == SpanKind::Server).await;
    assert_eq!(request.name, "POST /api/v1/auth/login");
    assert_eq!((hex(&request.trace_id).as_str(), hex(&request.parent_span_id).as_str()), (TRACE, PARENT));
    assert!(attribute(&request, "http.route").contains("\"/api/v1/auth/login\""));
    assert!(attribute(&request, "http.response.status_code").contains("200"));
    for name in ["password.verify", "database.transaction"] {
        let child = collector.span(name, |span| span.name == name).await;
        assert_eq!((&child.trace_id, &child.parent_span_id), (&request.trace_id, &request.span_id), "{name}");
    }
    // What the proxy does not record is not recorded here; its trace is named in the log all the same.
    let unrecorded = TRACE.replace('4', "5");
    health(&server, &format!("00-{unrecorded}-{PARENT}-00")).await;
    assert_eq!(access(&mut server).await["trace_id"], unrecorded.as_str());
    server.stop().await;
    assert!(collector.spans().iter().all(|span| hex(&span.trace_id) == TRACE), "{}", collector.text());
    assert!(
        collector.heads().iter().all(|head| head.starts_with("post /v1/traces ") && head.contains("x-key: a hunter22"))
    );
    let text = collector.text();
    assert!(text.contains("service.name") && text.contains("zone"));
    for personal in ["admin", "127.0.0.1", "123456", "SME"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    assert!(server.log.iter().all(|line| !line.to_string().contains("hunter22")));
}

#[tokio::test]
async fn what_a_stranger_names_is_linked_to_and_decides_nothing() {
    let collector = Collector::start().await;
    let mut home = home().await;
    home.set("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}/", collector.address));
    let mut server = home.serve().await;
    // Unrecorded there, recorded here.
    health(&server, &format!("00-{TRACE}-{PARENT}-00")).await;
    let own = access(&mut server).await["trace_id"].as_str().unwrap().to_owned();
    let span = collector.span("the request", |span| span.name == "GET /health").await;
    assert_eq!(hex(&span.trace_id), own);
    assert!(own != TRACE && span.parent_span_id.is_empty(), "{span:?}");
    assert_eq!(span.links.iter().map(|link| hex(&link.trace_id)).collect::<Vec<_>>(), [TRACE]);
    server.stop().await;

    // Recorded there, not here.
    home.set("OTEL_TRACES_SAMPLER", "parentbased_traceidratio").set("OTEL_TRACES_SAMPLER_ARG", "0");
    let mut server = home.serve().await;
    let before = collector.spans().len();
    health(&server, &format!("00-{TRACE}-{PARENT}-01")).await;
    assert_ne!(access(&mut server).await["trace_id"], TRACE);
    server.stop().await;
    assert_eq!(collector.spans().len(), before);
}

#[tokio::test]
async fn without_a_collector_the_log_names_the_callers_trace_if_it_is_one() {
    let home = home().await;
    let mut server = home.serve().await;
    health(&server, &format!("00-{TRACE}-{PARENT}-00")).await;
    assert_eq!(access(&mut server).await["trace_id"], TRACE);
    let upper = TRACE.to_uppercase();
    let zero = "0".repeat(32);
    for bad in [
        "nonsense".to_owned(),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!("00-{upper}-{PARENT}-01"),
        format!("00-{zero}-{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}"),
        format!("00-{TRACE}-{PARENT}-01-more"),
    ] {
        health(&server, &bad).await;
        assert_eq!(access(&mut server).await.get("trace_id"), None, "{bad}");
    }
    server.stop().await;
}

#[tokio::test]
async fn nobody_waits_for_a_collector_that_hangs_or_is_away() {
    let hung = Collector::hung().await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for (address, told) in [(hung.address, false), (gone, true)] {
        let mut home = home().await;
        home.set("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"));
        let mut server = home.serve().await;
        // More than may wait.
        for _ in 0..3_000 {
            assert_eq!(server.get("/health").await.status, 200);
        }
        if told {
            let text = "The collector does not take traces; they are dropped";
            assert!(server.heard(text).await.is_some());
        }
        let began = elapsed();
        server.stop().await;
        assert!(elapsed().saturating_sub(began) < Duration::from_secs(10));
        server.rest_of_log().await;
        let said = server.log.iter().filter(|line| line["msg"].as_str().unwrap().starts_with("The collector"));
        assert!(said.count() <= 1);
    }
}
