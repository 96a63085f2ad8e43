//! Metrics to a collector: the series of `/metrics`, posted at intervals. They are cumulative, so a batch that did not arrive is
//! contained in the next.

use std::{sync::Arc, time::Duration};

use actix_web::rt::{spawn, task::JoinHandle};
use opentelemetry_http::{Bytes, HttpError, Request};
use opentelemetry_proto::tonic::{common::v1::KeyValue, resource::v1::Resource};
use prost::Message as _;
use sme_pulse_domain::{clock::Clock, rng::Rng};

use super::{
    Metrics,
    message::{Span, attribute, message},
};
use crate::{
    config::Collector,
    telemetry::collector::{LAST, Signal, Way},
};

/// Tells replicas apart: without it their counters would be mixed.
const INSTANCE: &str = "service.instance.id";

/// Why metrics cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The platform's certificates cannot be used.
    #[error("TLS to the collector cannot be set up")]
    Tls(#[from] std::io::Error),
    /// The endpoint or a header is not one of HTTP.
    #[error("the collector's address or its headers cannot be sent")]
    Request(#[source] HttpError),
}

/// The way out. Dropping it ends it; call [`finish`](Self::finish) before.
pub struct Push {
    sender: Arc<Sender>,
    task: JoinHandle<()>,
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
        let sender = Arc::new(Sender {
            metrics,
            clock: Arc::clone(clock),
            way: Way::new(Signal::Metrics)?,
            request: request.body(()).map_err(|error| PushError::Request(error.into()))?,
            resource: resource(config, rng),
            started: now(&**clock),
        });
        let regular = Arc::clone(&sender);
        let task = spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                regular.send().await;
            }
        });
        Ok(Self { sender, task })
    }

    /// Sends what was counted last, for a second at the most.
    pub async fn finish(self) {
        self.task.abort();
        // Somebody who is away has been told of already, or is not worth waiting for.
        let _ = tokio::time::timeout(LAST, self.sender.send()).await;
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sender {
    async fn send(&self) {
        let families = self.metrics.gather();
        // A clock that was set back must not make a batch end before it began.
        let span = Span { start: self.started, end: now(&*self.clock).max(self.started) };
        let body = message(&self.resource, &families, span).encode_to_vec();
        // The outcome is in the log.
        let _ = self.way.post(self.request.clone().map(|()| Bytes::from(body))).await;
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
