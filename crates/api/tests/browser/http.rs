//! What a bare client sees: paths, methods, headers, compression, validators, and what is not served.

use std::io::Read;

use serde_json::Value;
use sme_pulse_api::docs::{CONTENT_SECURITY_POLICY, DocsSite};

use crate::{
    app::{TestApp, document},
    client::send,
};

const PAGES: [&str; 2] = ["/api/docs", "/api/redoc"];

fn paths() -> Vec<String> {
    let site = DocsSite::new(&document()).unwrap();
    site.paths().flat_map(|path| [path.to_owned(), format!("{path}/")]).collect()
}

#[test]
fn every_file_answers_get_and_head_alike_with_and_without_slash() {
    let app = TestApp::start();
    for path in paths() {
        for accept in ["identity", "gzip"] {
            let got = send(app.addr, "GET", &path, &[("Accept-Encoding", accept)]);
            let head = send(app.addr, "HEAD", &path, &[("Accept-Encoding", accept)]);
            assert_eq!((got.status, head.status), (200, 200), "{path}");
            assert_eq!(got.header("content-length"), Some(got.body.len().to_string().as_str()), "{path}");
            assert!(head.body.is_empty() && !got.body.is_empty(), "{path}");
            let without_date = |headers: Vec<(String, String)>| {
                let mut kept: Vec<_> = headers.into_iter().filter(|(name, _)| name != "date").collect();
                kept.sort();
                kept
            };
            assert_eq!(without_date(got.headers), without_date(head.headers), "{path}");
        }
    }
}

#[test]
fn other_methods_are_refused_and_named() {
    let app = TestApp::start();
    for path in paths() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let refused = send(app.addr, method, &path, &[]);
            assert_eq!(refused.status, 405, "{method} {path}");
            assert_eq!(refused.header("allow"), Some("GET, HEAD"), "{method} {path}");
        }
    }
}

#[test]
fn the_document_is_the_one_that_was_given() {
    let app = TestApp::start();
    let got = send(app.addr, "GET", "/openapi.json", &[]);
    assert_eq!(got.header("content-type"), Some("application/json"));
    let got: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(got, serde_json::to_value(document()).unwrap());
    assert_eq!(got["info"]["title"], "SME Pulse API");
    assert_eq!(got["info"]["version"], "1.0.0");
    assert_eq!(got["paths"]["/api/v1/whoami"]["get"]["security"][0]["bearer"], serde_json::json!([]));
}

#[test]
fn html_pages_alone_carry_the_policy() {
    let app = TestApp::start();
    for path in paths() {
        let got = send(app.addr, "GET", &path, &[]);
        let page = PAGES.contains(&path.trim_end_matches('/'));
        assert_eq!(got.header("content-security-policy"), page.then_some(CONTENT_SECURITY_POLICY), "{path}");
        assert_eq!(got.header("content-type").unwrap().starts_with("text/html"), page, "{path}");
        assert_eq!(got.header("cache-control"), Some("no-cache"), "{path}");
    }
}

#[test]
fn the_policy_is_exactly_the_promised_one() {
    let promised = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    assert_eq!(CONTENT_SECURITY_POLICY, promised);
}

#[test]
fn pages_hold_no_inline_script_and_name_no_other_host() {
    let app = TestApp::start();
    for path in PAGES {
        let page = String::from_utf8(send(app.addr, "GET", path, &[]).body).unwrap();
        assert!(!page.contains("://"), "{path} names a host");
        assert!(!page.contains("style=") && !page.contains(" on"), "{path} has inline code");
        for script in page.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            let source = tag.trim().strip_prefix("src=\"").unwrap().strip_suffix('"').unwrap();
            assert_eq!(send(app.addr, "GET", source, &[]).status, 200, "{source}");
            assert!(rest.starts_with("</script>"), "{path} has an inline script");
        }
    }
}

#[test]
fn compression_follows_what_the_client_accepts() {
    let app = TestApp::start();
    let big = "/api/docs/assets/swagger-ui-bundle.js";
    let plain = send(app.addr, "GET", big, &[]);
    assert_eq!(plain.header("content-encoding"), None);
    for (accept, gzip) in [
        ("gzip", true),
        ("gzip, deflate, br, zstd", true),
        ("gzip;q=0", false),
        ("br", false),
        ("identity", false),
        ("*;q=0", false),
        ("", false),
        ("gzip;q=x", false),
    ] {
        let got = send(app.addr, "GET", big, &[("Accept-Encoding", accept)]);
        assert_eq!(got.status, 200, "{accept}");
        assert_eq!(got.header("content-encoding") == Some("gzip"), gzip, "{accept}");
        assert_eq!(got.header("vary"), Some("Accept-Encoding"), "{accept}");
        assert_eq!(got.header("etag") == plain.header("etag"), !gzip, "each representation has its own tag");
        let mut body = Vec::new();
        if gzip {
            flate2::read::GzDecoder::new(&got.body[..]).read_to_end(&mut body).unwrap();
        } else {
            body = got.body;
        }
        assert!(body == plain.body, "{accept}: another file");
    }
}

#[test]
fn a_known_tag_is_answered_without_the_file() {
    let app = TestApp::start();
    for path in paths() {
        let tag = send(app.addr, "GET", &path, &[]).header("etag").unwrap().to_owned();
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".into()] {
            let got = send(app.addr, "GET", &path, &[("If-None-Match", &known)]);
            assert_eq!((got.status, got.body.len()), (304, 0), "{path} {known}");
            assert_eq!(got.header("etag"), Some(tag.as_str()));
        }
        for unknown in ["\"other\"", "not a tag", ""] {
            assert_eq!(send(app.addr, "GET", &path, &[("If-None-Match", unknown)]).status, 200, "{path} {unknown}");
        }
    }
}

#[test]
fn nothing_but_the_listed_files_is_served() {
    let app = TestApp::start();
    for path in [
        "/api/docs/assets",
        "/api/docs/assets/",
        "/api/docs/assets/index.html",
        "/api/docs/assets/swagger-ui.js",
        "/api/docs/assets/swagger-ui-bundle.js.map",
        "/api/docs/assets/oauth2-redirect.html",
        "/api/docs/assets/../swagger-ui.css",
        "/api/docs/assets/../../../Cargo.toml",
        "/api/docs/assets/..%2f..%2f..%2fCargo.toml",
        "/api/docs/assets/%2e%2e/%2e%2e/etc/passwd",
        "/api/docs/assets/....//etc/passwd",
        "/api/docs/assets//swagger-ui.css",
        "/api//docs",
        "/api/docs//",
        "/API/docs",
        "/api/Docs",
        "/api/docs/index.html",
        "/api/docs/./",
        "/openapi.yaml",
        "/openapi.json.gz",
        "/.git/config",
        "/.env",
    ] {
        assert_eq!(send(app.addr, "GET", path, &[]).status, 404, "{path}");
    }
}

#[test]
fn documentation_that_is_not_mounted_is_not_there() {
    let app = TestApp::start_with(None);
    for path in paths() {
        assert_eq!(send(app.addr, "GET", &path, &[]).status, 404, "{path}");
    }
}
