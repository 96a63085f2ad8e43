//! What a reader sees in a browser: both pages render, stay on their host, obey their policy, and a call can be made.

use crate::{
    app::{TOKEN, TestApp},
    chromium::Browser,
};

/// In Swagger UI's list of schemas.
const EXPAND_ALL: &str = ".models .json-schema-2020-12-expand-deep-button";
const OPERATION: &str = "#operations-callers-whoami";

fn assert_clean(browser: &mut Browser, app: &TestApp) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(requests.contains(&app.url("/openapi.json")), "the document was not loaded: {requests:?}");
    for url in requests {
        let ours = url.starts_with(&app.url("/")) || url.starts_with("data:") || url == "about:blank";
        assert!(ours, "a request to {url}");
    }
}

#[test]
fn swagger_ui_shows_the_document() {
    let Some(mut browser) = Browser::start() else { return };
    let app = TestApp::start();
    for path in ["/api/docs", "/api/docs/"] {
        browser.go(&app.url(path));
        browser.wait_for(&format!("document.querySelector({OPERATION:?})"));
        let text = browser.text();
        for expected in ["SME Pulse API", "1.0.0", "/api/v1/whoami", "Tells who calls.", "ErrorEnvelope", "Authorize"] {
            assert!(text.contains(expected), "{expected} is not on the page:\n{text}");
        }
        browser.picture("swagger-ui");
        browser.eval(&format!("document.querySelectorAll({EXPAND_ALL:?}).forEach(button => button.click())"));
        browser.wait_for("document.querySelector('.models').innerText.includes('Equal to the header X-Request-ID')");
        assert_clean(&mut browser, &app);
    }
}

#[test]
fn redoc_shows_the_document() {
    let Some(mut browser) = Browser::start() else { return };
    let app = TestApp::start();
    for path in ["/api/redoc", "/api/redoc/"] {
        browser.go(&app.url(path));
        browser.wait_for("document.body.innerText.includes('/api/v1/whoami')");
        let text = browser.text();
        for expected in ["SME Pulse API", "1.0.0", "Tells who calls", "No valid token", "bearer"] {
            assert!(text.contains(expected), "{expected} is not on the page:\n{text}");
        }
        browser.picture("redoc");
        browser.eval("document.querySelectorAll('button').forEach(button => button.click())");
        browser.wait_for("document.body.innerText.includes('Equal to the header X-Request-ID')");
        assert_clean(&mut browser, &app);
    }
}

/// Executes the open operation and waits for an answer with this status and text.
fn execute(browser: &mut Browser, operation: &str, status: u16, text: &str) {
    browser.click(&format!("{operation} .execute"));
    let answer = format!("document.querySelector('{operation} .live-responses-table .response')");
    browser.wait_for(&format!("{answer}.querySelector('.response-col_status').innerText.includes('{status}')"));
    browser.wait_for(&format!("{answer}.innerText.includes('{text}')"));
}

#[test]
fn calls_can_be_tried_out_with_the_authorized_token() {
    let Some(mut browser) = Browser::start() else { return };
    let app = TestApp::start();
    // A deep link opens the operation; the body is filled in from the schema.
    browser.go(&app.url("/api/docs#/callers/logIn"));
    browser.click("#operations-callers-logIn .try-out__btn");
    execute(&mut browser, "#operations-callers-logIn", 200, TOKEN);

    browser.go(&app.url("/api/docs#/callers/whoami"));
    browser.click(&format!("{OPERATION} .try-out__btn"));
    browser.click(".auth-wrapper .btn.authorize");
    browser.type_into(".auth-container input", TOKEN);
    browser.picture("swagger-ui-authorize");
    browser.click(".auth-btn-wrapper .btn.authorize");
    browser.click(".auth-btn-wrapper .btn-done");
    execute(&mut browser, OPERATION, 200, "ada@example.com");
    browser.eval(&format!("document.querySelector('{OPERATION}').scrollIntoView()"));
    browser.picture("swagger-ui-try-it-out");
    assert_clean(&mut browser, &app);
}

#[test]
fn a_call_without_a_token_shows_the_refusal() {
    let Some(mut browser) = Browser::start() else { return };
    let app = TestApp::start();
    browser.go(&app.url("/api/docs#/callers/whoami"));
    browser.click(&format!("{OPERATION} .try-out__btn"));
    execute(&mut browser, OPERATION, 401, "Not authenticated");
}

#[test]
fn no_query_parameter_changes_a_page() {
    let Some(mut browser) = Browser::start() else { return };
    let app = TestApp::start();
    let foreign = "http%3A%2F%2Fforeign.invalid%2Fspec.json";
    for (page, shows) in [("/api/docs", "Tells who calls."), ("/api/redoc", "Tells who calls")] {
        let query = format!(
            "?url={foreign}&spec-url={foreign}&configUrl={foreign}&validatorUrl={foreign}&layout=StandaloneLayout\
             &title=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
        );
        browser.go(&app.url(&format!("{page}{query}")));
        browser.wait_for(&format!("document.body.innerText.includes({shows:?})"));
        let markup = browser.eval("document.documentElement.outerHTML");
        for trace in ["foreign.invalid", "onerror"] {
            assert!(!markup.as_str().unwrap().contains(trace), "{page} took {trace} from its query");
        }
        let foreign: Vec<_> =
            browser.requests().into_iter().filter(|url| url.starts_with("http://foreign.invalid")).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}
