//! The HTTP shell of SME Pulse: configuration, wiring, routes, errors to answers, telemetry. It holds no rule and
//! no SQL; it is a library only so that the binary, the tests and the fuzz targets share it.
//!
//! How to add a route: `docs/adding-a-route.md`.

pub mod app;
mod asset;
pub mod audit_file;
pub mod background;
pub mod client_ip;
pub mod command;
pub mod config;
pub mod console;
pub mod docs;
pub mod edge;
pub mod error;
pub mod input;
pub mod limit;
pub mod mail;
pub mod metrics;
pub mod random;
pub mod routes;
pub mod server;
pub mod telemetry;
mod trace;

/// Compiles the examples of the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
