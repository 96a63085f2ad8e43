//! What a running server tells of itself, where, and that no client can make it tell more.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::support::{Home, Raw, send, until};

/// Sent on one connection before their answers are read.
const BATCH: usize = 100;

async fn watched() -> Home {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_METRICS_ADDR", "127.0.0.1:0");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    home
}

#[tokio::test]
async fn requests_are_told_under_the_templates_of_their_routes() {
    let home = watched().await;
    let server = home.serve().await;
    let token = server.log_in().await.token();
    assert_eq!(server.log_in_with("wrong").await.status, 401);
    for path in ["/auth/me", "/api/v1/auth/me/", "/auth/me/"] {
        assert_eq!(server.get_with(path, &token).await.status, 200);
    }
    for path in ["/api/v1/users/1", "/api/v1/users/2147483647"] {
        server.get_with(path, &token).await;
    }
    assert_eq!(server.get("/nowhere").await.status, 404);
    assert_eq!(server.get("/console/assets/main.js").await.status, 200);
    let told = server.scrape().await;
    for (series, number) in [
        (r#"sme_pulse_http_requests_total{method="POST",route="/api/v1/auth/login",status="200"}"#, 1),
        (r#"sme_pulse_http_requests_total{method="POST",route="/api/v1/auth/login",status="401"}"#, 1),
        (r#"sme_pulse_http_requests_total{method="GET",route="/api/v1/auth/me",status="200"}"#, 3),
        (r#"sme_pulse_http_request_duration_seconds_count{method="GET",route="/api/v1/auth/me"}"#, 3),
        (r#"sme_pulse_http_requests_total{method="GET",route="/api/v1/users/{user_id}",status="200"}"#, 1),
        (r#"sme_pulse_http_requests_total{method="GET",route="/api/v1/users/{user_id}",status="404"}"#, 1),
        (r#"sme_pulse_http_requests_total{method="GET",route="unmatched",status="404"}"#, 1),
        (r#"sme_pulse_http_requests_total{method="GET",route="/console/assets/{file}",status="200"}"#, 1),
        (r#"sme_pulse_http_errors_total{code="invalid_credentials"}"#, 1),
        (r#"sme_pulse_logins_total{outcome="success"}"#, 1),
        (r#"sme_pulse_logins_total{outcome="refused"}"#, 1),
        (r#"sme_pulse_build_info{version="1.0.0",database="sqlite"}"#, 1),
        ("sme_pulse_http_requests_in_flight", 0),
        ("sme_pulse_change_feed_up", 1),
        ("sme_pulse_migrations_pending", 0),
    ] {
        assert_eq!(told.number(series), number, "{series}");
    }
    let callers = |from: &str| told.number(&format!("sme_pulse_caller_lookups_total{{from=\"{from}\"}}"));
    assert_eq!(callers("memory") + callers("database"), 5);
    assert!(told.number("process_resident_memory_bytes") > 1_000_000 && told.number("process_open_fds") > 3);
    // Neither who called nor what they sent.
    for secret in ["admin", "127.0.0.1", "nowhere", "2147483647", "sme.com"] {
        assert!(!told.0.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn ten_thousand_paths_and_methods_make_no_more_series_than_one() {
    let home = watched().await;
    let server = home.serve().await;
    let mut client = Raw::connect(server.address).await;
    let mut ask = async |numbers: std::ops::Range<usize>| {
        let request = |number| {
            let slash = if number % 2 == 0 { "" } else { "/" };
            let path = ["p", "api/v1/users/x", "auth/sessions/", "api/docs/"][number % 4];
            format!("M{number} /{path}{number}{slash} HTTP/1.1\r\nHost: x\r\n\r\n")
        };
        client.send(&numbers.clone().map(request).collect::<String>()).await;
        for _ in numbers {
            let head = client.head().await;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            client.skip(length.parse().unwrap()).await;
        }
    };
    ask(0..BATCH).await;
    let few = server.scrape().await;
    for begin in (BATCH..10_000).step_by(BATCH) {
        ask(begin..begin + BATCH).await;
    }
    let many = server.scrape().await;
    assert_eq!(few.series(), many.series());
    let counted = many.0.lines().filter(|line| line.starts_with("sme_pulse_http_requests_total"));
    let counted: u64 = counted.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum();
    assert_eq!(counted, 10_000);
}

#[tokio::test]
async fn refusals_count_by_the_budget_that_refused() {
    let mut home = watched().await;
    home.set("BACKEND_RATE_LIMIT_ENABLED", "true").set("BACKEND_RATE_LIMIT_REQUESTS", "2");
    let server = home.serve().await;
    for _ in 0..5 {
        server.log_in_with("wrong").await;
    }
    for _ in 0..3 {
        send(server.http.post(server.url("/auth/refresh")).json(&json!({"refresh_token": "x"}))).await.unwrap();
    }
    let told = server.scrape().await;
    assert_eq!(told.number(r#"sme_pulse_rate_limited_total{budget="login"}"#), 3);
    assert_eq!(told.number(r#"sme_pulse_rate_limited_total{budget="refresh"}"#), 1);
    assert_eq!(told.number(r#"sme_pulse_http_errors_total{code="rate_limited"}"#), 4);
    assert_eq!(told.value(r#"sme_pulse_rate_limited_total{budget="other"}"#), None);
}

#[tokio::test]
async fn the_two_listeners_share_no_path() {
    let home = watched().await;
    let server = home.serve().await;
    for path in ["/metrics", "/metrics/", "/api/v1/metrics"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    let told = server.metrics_address();
    for path in ["/", "/health", "/auth/me", "/api/docs", "/metrics2"] {
        let answer = send(server.http.get(format!("http://{told}{path}"))).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
    let url = format!("http://{told}/metrics");
    assert_eq!(send(server.http.post(&url)).await.unwrap().status, 405);
    let head = send(server.http.head(&url)).await.unwrap();
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn a_taken_port_for_metrics_stops_the_start_before_the_database_is_touched() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut home = Home::bare();
    home.set("BACKEND_METRICS_ADDR", &taken.local_addr().unwrap().to_string()).set("BACKEND_LOG_FILE", "");
    let done = home.run(&["serve"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.complaint().contains("cannot listen for metrics on 127.0.0.1 port"), "{done:?}");
    assert!(!home.folder().join("data/sme-pulse.db").exists());
}

#[tokio::test]
async fn clients_of_the_metrics_listener_hold_up_neither_a_scrape_nor_the_stop() {
    let home = watched().await;
    let mut server = home.serve().await;
    let mut clients = Vec::new();
    for text in ["", "GET /metrics HTTP/1.1\r\n", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut client = Raw::connect(server.metrics_address()).await;
        client.send(text).await;
        clients.push(client);
    }
    let told = server.scrape().await;
    assert_eq!(told.number("sme_pulse_http_connections"), 0);
    let open = Raw::connect(server.address).await;
    until("the connection is counted", Duration::from_secs(10), async || {
        (server.scrape().await.number("sme_pulse_http_connections") == 1).then_some(())
    })
    .await;
    drop(open);
    until("its end is counted", Duration::from_secs(10), async || {
        (server.scrape().await.number("sme_pulse_http_connections") == 0).then_some(())
    })
    .await;
    server.stop().await;
}
