//! The edge over real sockets: raw bytes in, raw bytes out, against a small application with one handler per case.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it found by panicking"
)]

mod app;
mod client;
mod connection;
mod cors;
mod envelope;
mod framing;
mod head;
mod headers;
mod logging;
mod methods;
mod shutdown;
