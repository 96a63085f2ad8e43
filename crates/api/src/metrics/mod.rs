//! What operators watch: counted where it happens, read when somebody asks, told in the text format of Prometheus on a
//! listener of its own, and sent to a collector of OpenTelemetry. `docs/operations.md` explains every series.
//!
//! Requests are counted by [`HttpMetrics`] without a look-up by text; whatever another crate counts for itself, or has now, is
//! turned into series by [`Sources`] when they are told. No label holds what a client has sent.

mod family;
pub mod hashing;
mod http;
mod listener;
mod message;
mod otlp;
mod probe;
mod route;
mod sources;
mod tasks;

use prometheus::{Registry, TextEncoder, proto::MetricFamily};

pub use http::{HttpMetrics, Late};
pub use listener::{MetricsApp, listen};
pub use otlp::{Push, PushError};
pub use probe::Probe;
pub use route::{Named, RouteName};
pub use sources::Sources;
pub use tasks::{Task, TaskFigures, Tasks};

/// The media type of [`Metrics::text`].
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that is told.
pub struct Metrics {
    registry: Registry,
    sources: Sources,
}

impl Metrics {
    /// What is counted of requests, what the process uses, and the rest. An error is a fault of the names in the code.
    pub fn new(http: &HttpMetrics, sources: Sources) -> prometheus::Result<Self> {
        let registry = Registry::new();
        http.register(&registry)?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self { registry, sources })
    }

    /// All families as they are now, each name once.
    pub fn gather(&self) -> Vec<MetricFamily> {
        let mut families = self.registry.gather();
        families.extend(self.sources.families());
        families
    }

    /// The text of an answer.
    pub fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.gather())
    }
}
