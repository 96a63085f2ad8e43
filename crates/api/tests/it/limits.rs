//! The budget of log-ins: exact under every schedule, shared by every way to the handler, and of nobody else's concern.

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use sme_pulse_domain::clock::Clock as _;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{Answer, HASH, PASSWORD, TestApp};

const LOGIN: &str = "/api/v1/auth/login";
const POLICY: &str = "\"login\";q=5;w=60";

/// The application with the budget of production.
struct Limited(TestApp);

impl Fixture for Limited {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[]).await)
    }
}

/// The application behind a proxy on this machine.
struct Proxied(TestApp);

impl Fixture for Proxied {
    async fn on(database: TestDatabase) -> Self {
        Self(
            TestApp::with(database, &[("BACKEND_TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8, 2001:db8:ffff::/48")])
                .await,
        )
    }
}

impl Proxied {
    /// A log-in that comes through the proxy with these header lines.
    async fn via(&self, headers: &[(&str, &str)]) -> Answer {
        let request = self.0.request("POST", LOGIN).body("{}");
        TestApp::send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    async fn exhaust(&self, client: &str) {
        for _ in 0..5 {
            assert_eq!(self.via(&[("x-forwarded-for", client)]).await.status, 422, "{client}");
        }
    }

    async fn left(&self, headers: &[(&str, &str)]) -> String {
        self.via(headers).await.one("ratelimit").to_owned()
    }
}

fn assert_limited(answer: &Answer, reset: u64) {
    let id = answer.one("x-request-id");
    assert_eq!(
        answer.text,
        format!(
            concat!(
                r#"{{"error":"Too many requests","detail":"Rate limit exceeded. Please try again in 60 seconds.","#,
                r#""request_id":"{}","error_code":"rate_limited","retry_after":60}}"#
            ),
            id
        )
    );
    assert_eq!((answer.status, answer.one("retry-after"), answer.one("content-type")), (429, "60", "application/json"));
    assert_eq!(
        (answer.one("ratelimit-policy"), answer.one("ratelimit")),
        (POLICY, &*format!("\"login\";r=0;t={reset}"))
    );
    assert_eq!(answer.one("cache-control"), "no-store");
}

on_both_databases! {
    async fn whatever_comes_of_them_five_pass_and_the_sixth_is_refused(limited: Limited) {
        let app = &limited.0;
        let large = "x".repeat(1_100_000);
        let attempts = [
            (app.request("POST", LOGIN).json(&json!({"email": "admin@sme.com", "password": PASSWORD})), 200),
            (app.request("POST", LOGIN).json(&json!({"email": "admin@sme.com", "password": "wrong"})), 401),
            (app.request("POST", "/auth/login/").body("{"), 422),
            (app.request("PUT", "/auth/login").header("x-http-method-override", "POST"), 405),
            (app.request("POST", "/auth/login").body(large), 413),
        ];
        for (left, (request, status)) in (0..5).rev().zip(attempts) {
            let answer = TestApp::send(request).await;
            assert_eq!(answer.status, status);
            assert_eq!(
                (answer.one("ratelimit-policy"), answer.one("ratelimit")),
                (POLICY, &*format!("\"login\";r={left};t=60"))
            );
        }
        for path in [
            LOGIN,
            "/api/v1/auth/login/",
            "/auth/login",
            "/auth/login/",
            "/auth/%6cogin",
            "/%61uth/log%69n",
            "/api/v1/auth/login?x=1",
        ] {
            for method in ["POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
                let answer = TestApp::send(
                    app.request(method, path).json(&json!({"email": "admin@sme.com", "password": PASSWORD})),
                )
                .await;
                if method == "HEAD" {
                    assert_eq!((answer.status, answer.one("retry-after")), (429, "60"));
                } else {
                    assert_limited(&answer, 60);
                }
            }
        }
        for path in [
            "/",
            "/health",
            "/health/ready",
            "/auth/me",
            "/api/v1/settings",
            "/nowhere",
            "/auth//login",
            "/AUTH/LOGIN",
            "/auth/./login",
        ] {
            let answer = app.line(&format!("GET {path}"), "").await;
            assert_ne!(answer.status, 429, "{path}");
            assert_eq!((answer.header("ratelimit"), answer.header("ratelimit-policy")), (None, None), "{path}");
        }
        for address in [
            "X-Forwarded-For: 9.9.9.9",
            "Forwarded: for=9.9.9.9",
            "X-Real-IP: 9.9.9.9",
            "CF-Connecting-IP: 9.9.9.9",
            "True-Client-IP: 9.9.9.9",
            "X-Client-IP: 9.9.9.9",
        ] {
            assert_limited(&app.line(&format!("POST {LOGIN}"), &format!("{address}\r\n")).await, 60);
        }
        assert_limited(&app.line(&format!("POST http://elsewhere.example{LOGIN}"), "").await, 60);
    }

    async fn refusals_and_preflights_are_not_counted_and_waiting_helps(limited: Limited) {
        let app = &limited.0;
        let preflight = "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n";
        for _ in 0..20 {
            let answer = app.line(&format!("OPTIONS {LOGIN}"), preflight).await;
            assert_eq!((answer.status, answer.header("ratelimit")), (200, None));
        }
        for second in 0..5 {
            app.clock.advance(Duration::from_millis(1_500));
            assert_eq!(
                app.post(LOGIN, &json!({})).await.one("ratelimit"),
                format!("\"login\";r={};t={}", 4 - second, [60, 59, 57, 56, 54][second])
            );
        }
        for _ in 0..100 {
            assert_limited(&app.post(LOGIN, &json!({})).await, 54);
        }
        let allowed = app.line(&format!("OPTIONS {LOGIN}"), preflight).await;
        assert_eq!(allowed.status, 200);
        let seen = app.line(&format!("POST {LOGIN}"), "Origin: http://localhost:3000\r\n").await;
        assert_eq!((seen.status, seen.one("access-control-allow-origin")), (429, "http://localhost:3000"));
        app.clock.advance(Duration::from_millis(53_999));
        assert_limited(&app.post(LOGIN, &json!({})).await, 1);
        app.clock.advance(Duration::from_millis(1));
        assert_eq!(app.post(LOGIN, &json!({})).await.one("ratelimit"), "\"login\";r=0;t=2");
        assert_limited(&app.post(LOGIN, &json!({})).await, 2);
        app.clock.advance(Duration::from_mins(1));
        let after = app.post(LOGIN, &json!({"email": "admin@sme.com", "password": PASSWORD})).await;
        assert_eq!((after.status, after.one("ratelimit")), (200, "\"login\";r=4;t=60"));
    }

    async fn of_fifty_parallel_attempts_exactly_five_pass(limited: Limited) {
        let app = &limited.0;
        for round in 0..3 {
            let attempts = (0..50).map(|number| {
                let path = [LOGIN, "/auth/login", "/auth/login/", "/api/v1/auth/login/"][number % 4];
                async move { app.post(path, &json!({"email": "admin@sme.com", "password": PASSWORD})).await }
            });
            let answers = join_all(attempts).await;
            let passed = answers.iter().filter(|answer| answer.status == 200).count();
            let refused = answers.iter().filter(|answer| answer.status == 429).count();
            assert_eq!((passed, refused), (5, 45), "round {round}");
            app.clock.advance(Duration::from_mins(1));
        }
    }

    async fn no_schedule_gets_six_through_in_any_minute(proxied: Proxied) {
        let mut admitted: HashMap<&str, Vec<Duration>> = HashMap::new();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..600 {
            let client = ["192.0.2.1", "192.0.2.2", "2001:db8::1"][usize::try_from(random(3)).unwrap()];
            // Mostly bursts, sometimes long waits, often just about where the oldest leaves the window.
            let pause = [0, 0, 0, random(2_000), random(15_000), 59_999, 60_000][usize::try_from(random(7)).unwrap()];
            proxied.0.clock.advance(Duration::from_millis(pause));
            let now = proxied.0.clock.monotonic();
            let passed = admitted.entry(client).or_default();
            let in_window = passed.iter().filter(|at| now.checked_sub(**at).unwrap() < Duration::from_mins(1)).count();
            let expected = if in_window < 5 { 422 } else { 429 };
            assert_eq!(
                proxied.via(&[("x-forwarded-for", client)]).await.status,
                expected,
                "{client} at {now:?} after {passed:?}"
            );
            if expected == 422 {
                passed.push(now);
            }
        }
    }

    async fn the_client_is_who_the_trusted_proxies_say_and_networks_of_ipv6_are_one(proxied: Proxied) {
        proxied.exhaust("192.0.2.7").await;
        let fresh = "\"login\";r=4;t=60";
        for same in [
            "192.0.2.7",
            " 192.0.2.7 ",
            "192.0.2.7:4711",
            "::ffff:192.0.2.7",
            "[::ffff:192.0.2.7]:443",
            "9.9.9.9, 192.0.2.7",
            "8.8.8.8,192.0.2.7, 10.1.2.3",
            "192.0.2.7, 10.0.0.1, 127.0.0.9",
            "garbage, 192.0.2.7",
        ] {
            assert_eq!(proxied.via(&[("x-forwarded-for", same)]).await.status, 429, "{same}");
        }
        for same in [
            "for=192.0.2.7",
            "For=\"192.0.2.7:80\";proto=https",
            "for=8.8.8.8, for=192.0.2.7;by=10.0.0.1, for=10.0.0.2",
            "for=\"[::ffff:192.0.2.7]\"",
        ] {
            assert_eq!(proxied.via(&[("forwarded", same)]).await.status, 429, "{same}");
        }
        assert_eq!(proxied.via(&[("x-forwarded-for", "8.8.8.8"), ("x-forwarded-for", "192.0.2.7")]).await.status, 429);
        assert_eq!(proxied.via(&[("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")]).await.status, 429);
        assert_eq!(proxied.left(&[("x-forwarded-for", "192.0.2.8")]).await, fresh, "another client");
        assert_eq!(
            proxied.left(&[("x-forwarded-for", "192.0.2.7, 192.0.2.9")]).await,
            fresh,
            "the right-most that is not trusted"
        );
        // The peer itself counts when nothing is said, nothing is readable, or two different things are said.
        assert_eq!(proxied.left(&[]).await, fresh);
        assert_eq!(proxied.left(&[("x-forwarded-for", "192.0.2.7, garbage")]).await, "\"login\";r=3;t=60");
        assert_eq!(
            proxied.left(&[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2")]).await,
            "\"login\";r=2;t=60"
        );
        assert_eq!(proxied.left(&[("x-forwarded-for", "")]).await, "\"login\";r=1;t=60");

        proxied.exhaust("2001:db8:1:2::1").await;
        for same in
            ["2001:db8:1:2::2", "2001:db8:1:2:ffff:ffff:ffff:ffff", "[2001:db8:1:2::3]:443", "2001:0DB8:0001:0002::4"]
        {
            assert_eq!(proxied.via(&[("x-forwarded-for", same)]).await.status, 429, "{same}");
        }
        for other in ["2001:db8:1:3::1", "2001:db8:1:1:ffff::1"] {
            assert_eq!(proxied.left(&[("x-forwarded-for", other)]).await, fresh, "{other}");
        }
    }

    async fn sessions_and_events_name_the_client_behind_the_proxy(proxied: Proxied) {
        let app = &proxied.0;
        let body = json!({"email": "admin@sme.com", "password": PASSWORD});
        for (forwarded, stored) in
            [("192.0.2.7:80", "192.0.2.7"), ("::ffff:192.0.2.9", "192.0.2.9"), ("2001:DB8:0:1::a", "2001:db8:0:1::a")]
        {
            let request = app.request("POST", LOGIN).header("x-forwarded-for", forwarded).json(&body);
            assert_eq!(TestApp::send(request).await.status, 200, "{forwarded}");
            for table in ["auth.sessions", "auth.audit_log"] {
                let found = app.numbers(&format!("SELECT COUNT(*) FROM {table} WHERE client_ip = '{stored}'")).await;
                assert_eq!(found, [1], "{table} {stored}");
            }
        }
    }

    async fn an_answer_that_comes_too_late_still_tells_the_budget(db: TestDatabase) {
        let app = TestApp::with(db, &[("BACKEND_REQUEST_TIMEOUT_SECONDS", "1")]).await;
        // A body that is held back, and a stored hash of a cost that takes seconds.
        let held_back = app.raw(format!("POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{{")).await;
        assert_eq!((held_back.status, held_back.one("ratelimit")), (408, "\"login\";r=4;t=60"));
        let slow = HASH.replace("$04$", "$15$");
        app.sql(&format!("UPDATE core.users SET password_hash = '{slow}' WHERE email = 'admin@sme.com'")).await;
        let late = app.log_in("admin@sme.com", PASSWORD).await;
        assert_eq!((late.status, late.json()["error_code"].as_str()), (503, Some("service_unavailable")));
        assert_eq!((late.one("ratelimit-policy"), late.one("ratelimit")), (POLICY, "\"login\";r=3;t=60"));
        assert_eq!((late.one("retry-after"), late.one("cache-control")), ("1", "no-store"));
    }

    async fn switched_off_there_is_neither_a_limit_nor_a_header(app: TestApp) {
        for _ in 0..20 {
            let answer = app.post(LOGIN, &json!({})).await;
            assert_eq!(
                (answer.status, answer.header("ratelimit"), answer.header("ratelimit-policy")),
                (422, None, None)
            );
        }
    }

    async fn number_and_window_are_settings(db: TestDatabase) {
        let app = TestApp::with(db, &[("BACKEND_RATE_LIMIT_REQUESTS", "2"), ("BACKEND_RATE_LIMIT_WINDOW", "7")]).await;
        for left in [1, 0] {
            assert_eq!(app.post(LOGIN, &json!({})).await.one("ratelimit"), format!("\"login\";r={left};t=7"));
        }
        let refused = app.post(LOGIN, &json!({})).await;
        assert_eq!(
            (refused.status, refused.one("retry-after"), refused.one("ratelimit-policy")),
            (429, "7", "\"login\";q=2;w=7")
        );
        let body = refused.json();
        assert_eq!(
            (&body["detail"], &body["retry_after"]),
            (&json!("Rate limit exceeded. Please try again in 7 seconds."), &json!(7))
        );
    }
}
