//! Traces to a collector. Spans wait in a bounded queue and leave in batches, on threads of their own; while the collector is
//! away they are dropped, and nobody waits for it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider},
};
use tokio::runtime::{Builder, Handle, Runtime};

use super::collector::{LAST, PATIENCE, Signal, Way};
use crate::config::{Collector, Sampling};

/// Spans that may wait, about 2 MB; further ones are dropped.
const WAITING: usize = 2_048;
/// A span leaves within this time after its end.
const DELAY: Duration = Duration::from_secs(2);

/// Why traces cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// No threads, or no sockets.
    #[error("the threads for traces cannot be started")]
    Threads(#[from] std::io::Error),
    /// The platform's certificates cannot be used.
    #[error("TLS to the collector cannot be set up")]
    Tls(#[source] std::io::Error),
    /// The exporter refuses its settings.
    #[error("the exporter of traces cannot be set up")]
    Exporter(#[from] ExporterBuildError),
}

/// The way out. Dropping it ends it; call [`finish`](Self::finish) before.
pub(super) struct Exporter {
    provider: SdkTracerProvider,
    /// Always there but in `drop`.
    runtime: Option<Runtime>,
}

impl Exporter {
    pub(super) fn start(config: &Collector, sampling: Sampling) -> Result<Self, TracesError> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("traces").enable_io().enable_time().build()?;
        let post = Post {
            way: Arc::new(Way::new(Signal::Traces, &config.endpoint).map_err(TracesError::Tls)?),
            runtime: runtime.handle().clone(),
        };
        let headers = config.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", config.endpoint))
            .with_timeout(PATIENCE)
            .with_headers(headers.collect())
            .with_http_client(post)
            .build()?;
        let batches = BatchConfigBuilder::default().with_max_queue_size(WAITING).with_scheduled_delay(DELAY).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(sampler(sampling))
            .with_resource(resource(config))
            .build();
        Ok(Self { provider, runtime: Some(runtime) })
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("sme-pulse")
    }

    /// Sends what waits, for a second at the most; later spans are dropped. Blocks the thread.
    pub(super) fn finish(provider: &SdkTracerProvider) {
        // A collector that is away has been told of already.
        let _ = provider.shutdown_with_timeout(LAST);
    }

    pub(super) const fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

fn sampler(sampling: Sampling) -> Sampler {
    let (by_parent, root) = match sampling {
        Sampling::Always { by_parent } => (by_parent, Sampler::AlwaysOn),
        Sampling::Never { by_parent } => (by_parent, Sampler::AlwaysOff),
        Sampling::Ratio { by_parent, ratio } => (by_parent, Sampler::TraceIdRatioBased(ratio)),
    };
    if by_parent { Sampler::ParentBased(Box::new(root)) } else { root }
}

fn resource(config: &Collector) -> Resource {
    let attributes = config.attributes.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(attributes)
        .with_service_name(config.service_name.clone())
        .build()
}

/// The exporter's own thread has no runtime for sockets, so the requests run on one beside it.
#[derive(Debug)]
struct Post {
    way: Arc<Way>,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let way = Arc::clone(&self.way);
        // The timer too needs the runtime.
        self.runtime.spawn(async move { way.post(request, PATIENCE).await }).await?
    }
}
