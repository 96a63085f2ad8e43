//! The documentation pages and the console as a browser and as a bare client see them: the real files on a real port,
//! in headless Chromium. With `DOCS_SCREENSHOTS=<folder>` the browser tests leave pictures of the pages there.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod app;
mod chromium;
mod client;
mod console;
mod http;
mod pages;
#[path = "../it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the whole application as other tests use it; these need a part")]
mod support;
