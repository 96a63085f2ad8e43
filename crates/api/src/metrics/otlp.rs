//! Metrics to a collector: the series of `/metrics`, posted at intervals. They are cumulative, so a batch that did not arrive is
//! contained in the next.

use std::{sync::Arc, time::Duration};

use opentelemetry_http::{Bytes, HttpError, Request};
use opentelemetry_proto::tonic::{common::v1::KeyValue, resource::v1::Resource};
use prost::Message as _;
use sme_pulse_domain::{clock::Clock, rng::Rng};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

use super::{
    Metrics,
    message::{Span, attribute, message},
};
use crate::{
    config::Collector,
    telemetry::collector::{LAST, PATIENCE, Signal, Way},
};

/// Tells replicas apart: without it their counters would be mixed.
const INSTANCE: &str = "service.instance.id";

/// Why metrics cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No thread, or no sockets.
    #[error("the thread for metrics cannot be started")]
    Thread(#[source] std::io::Error),
    /// The platform's certificates cannot be used.
    #[error("TLS to the collector cannot be set up")]
    Tls(#[source] std::io::Error),
    /// The endpoint or a header is not one of HTTP.
    #[error("the collector's address or its headers cannot be sent")]
    Request(#[source] HttpError),
}

/// The way out. Dropping it ends it; call [`finish`](Self::finish) before.
pub struct Push {
    sender: Arc<Sender>,
    regular: JoinHandle<()>,
    /// Always there but in `drop`. One of its own: a look-up of a name that hangs would hold up the end of any that waits for it.
    runtime: Option<Runtime>,
}

struct Sender {
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    way: Way,
    /// What every batch is a copy of.
    request: Request<()>,
    resource: Resource,
    started: u64,
}

impl Push {
    /// Sends every `interval` from now on.
    pub fn start(
        config: &Collector,
        interval: Duration,
        metrics: Arc<Metrics>,
        clock: &Arc<dyn Clock>,
        rng: &dyn Rng,
    ) -> Result<Self, PushError> {
        let url = format!("{}/v1/metrics", config.endpoint);
        let mut request = Request::post(url).header("content-type", "application/x-protobuf");
        for (name, value) in &config.headers {
            request = request.header(name, value.expose());
        }
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("metrics").enable_io().enable_time().build();
        let runtime = runtime.map_err(PushError::Thread)?;
        let sender = Arc::new(Sender {
            metrics,
            clock: Arc::clone(clock),
            way: Way::new(Signal::Metrics, &config.endpoint).map_err(PushError::Tls)?,
            request: request.body(()).map_err(|error| PushError::Request(error.into()))?,
            resource: resource(config, rng),
            started: now(&**clock),
        });
        let own = Arc::clone(&sender);
        let regular = runtime.spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                own.send(PATIENCE).await;
            }
        });
        Ok(Self { sender, regular, runtime: Some(runtime) })
    }

    /// Sends what was counted last, for a second at the most.
    pub async fn finish(self) {
        // An older batch must not come after the last one.
        self.regular.abort();
        let sender = Arc::clone(&self.sender);
        if let Some(runtime) = &self.runtime {
            // The outcome is in the log.
            let _ = runtime.spawn(async move { sender.send(LAST).await }).await;
        }
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Sender {
    async fn send(&self, patience: Duration) {
        let families = self.metrics.gather();
        // A clock that was set back must not make a batch end before it began.
        let span = Span { start: self.started, end: now(&*self.clock).max(self.started) };
        let body = message(&self.resource, &families, span).encode_to_vec();
        // The outcome is in the log.
        let _ = self.way.post(self.request.clone().map(|()| Bytes::from(body)), patience).await;
    }
}

fn now(clock: &dyn Clock) -> u64 {
    clock.now().timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or_default()
}

/// As traces have it, and which replica this is, unless the installation says it.
fn resource(config: &Collector, rng: &dyn Rng) -> Resource {
    let mut attributes: Vec<KeyValue> = vec![
        attribute("service.name", &config.service_name),
        attribute("service.version", env!("CARGO_PKG_VERSION")),
        attribute(INSTANCE, &rng.uuid().to_string()),
    ];
    for (name, value) in config.attributes.iter().filter(|(name, _)| name != "service.name") {
        attributes.retain(|known| known.key != *name);
        attributes.push(attribute(name, value));
    }
    Resource { attributes, ..Resource::default() }
}
