//! The documentation pages as a browser and as a bare client see them: the real files on a real port, in headless
//! Chromium. With `DOCS_SCREENSHOTS=<folder>` the browser tests leave pictures of the pages there.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail")]

mod app;
mod chromium;
mod client;
mod http;
mod pages;
