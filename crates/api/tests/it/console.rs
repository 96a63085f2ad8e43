//! The console as a bare client sees it: its addresses, headers and validators, and that it can be switched off. What a
//! reader sees is tested in a browser.

use sme_pulse_api::console::{CONTENT_SECURITY_POLICY, ConsoleSite, VIEWS};
use sme_pulse_testing::{TestDatabase, on_both_databases};

use super::support::TestApp;

const SECURITY: [&str; 7] = [
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "strict-transport-security",
    "referrer-policy",
    "x-request-id",
    "x-process-time",
];

#[test]
fn the_policy_lets_in_nothing_inline_and_nobody_else() {
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "frame-ancestors 'none'",
        "form-action 'none'",
        "base-uri 'none'",
    ] {
        assert!(CONTENT_SECURITY_POLICY.split("; ").any(|found| found == part), "{part}");
    }
    for word in ["unsafe", "http", "*", "nonce", "blob"] {
        assert!(!CONTENT_SECURITY_POLICY.contains(word), "{word}");
    }
}

on_both_databases! {
    async fn page_and_files_have_every_header_and_a_validator(app: TestApp) {
        for path in ConsoleSite::new().paths().flat_map(|path| [path.to_owned(), format!("{path}/")]) {
            let answer = app.get(&path).await;
            assert_eq!(answer.status, 200, "{path}");
            for name in SECURITY {
                answer.one(name);
            }
            assert_eq!(answer.one("content-security-policy"), CONTENT_SECURITY_POLICY, "{path}");
            assert_eq!(answer.one("cache-control"), "no-cache", "{path}");
            let view = VIEWS.contains(&path.trim_end_matches('/'));
            assert_eq!(answer.one("content-type") == "text/html; charset=utf-8", view, "{path}");
            let again = TestApp::send(app.request("GET", &path).header("if-none-match", answer.one("etag"))).await;
            assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
            let head = TestApp::send(app.request("HEAD", &path)).await;
            assert_eq!((head.status, head.one("content-length")), (200, answer.text.len().to_string().as_str()), "{path}");
            let wrong = TestApp::send(app.request("POST", &path)).await;
            assert_eq!((wrong.status, wrong.one("allow")), (405, "GET, HEAD"), "{path}");
        }
    }

    async fn what_is_not_of_the_console_does_not_exist(app: TestApp) {
        for path in [
            "/console/assets",
            "/console/assets/index.html",
            "/console/assets/nothing.js",
            "/console/assets/..%2findex.html",
            "/console/assets/%2e%2e/%2e%2e/Cargo.toml",
            "/console/people/1",
            "/console/nothing",
            "/console//people",
            "/Console",
        ] {
            app.get(path).await.assert_envelope(404, "Not Found", "Not Found", "not_found");
        }
    }

    async fn a_console_that_is_switched_off_is_not_there(db: TestDatabase) {
        let app = TestApp::with(db, &[("BACKEND_CONSOLE_ENABLED", "false")]).await;
        for path in ConsoleSite::new().paths() {
            app.get(path).await.assert_envelope(404, "Not Found", "Not Found", "not_found");
        }
    }
}
