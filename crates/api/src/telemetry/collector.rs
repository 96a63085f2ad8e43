//! The way to an OpenTelemetry collector, which traces and metrics have in common. A collector that is away is told of once in the
//! log, and nobody waits for it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry_http::{Bytes, HttpError, Request, Response};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::error::chain;

/// How long the collector may take for a batch.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last batch may take: the process has to end within 10 s.
pub(crate) const LAST: Duration = Duration::from_secs(1);
/// What is read of an answer of the collector.
const ANSWER: usize = 64 * 1024;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// What is dropped while the collector is away is lost.
    Traces,
    /// What is counted in the meantime comes with the next batch.
    Metrics,
}

/// A client. Its requests need a runtime with sockets and a timer, whose end waits for nothing: a look-up of a name may hang.
#[derive(Debug)]
pub(crate) struct Way {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    signal: Signal,
    away: AtomicBool,
}

impl Way {
    /// Connects to nothing yet. An error means that `endpoint` needs the platform's certificates and that they cannot be used.
    pub(crate) fn new(signal: Signal, endpoint: &str) -> std::io::Result<Self> {
        let tls = HttpsConnectorBuilder::new();
        let tls = if endpoint.starts_with("https:") {
            tls.with_provider_and_platform_verifier(ring::default_provider())?
        } else {
            // Nothing is encrypted, and a system without certificates will do.
            tls.with_tls_config(trusting_nobody()?)
        };
        let tls = tls.https_or_http().enable_http1().build();
        let kept = match signal {
            Signal::Traces => 1,
            // At the usual intervals the collector closes a kept one just as the next batch is written.
            Signal::Metrics => 0,
        };
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(kept).build(tls);
        Ok(Self { client, signal, away: AtomicBool::new(false) })
    }

    /// Posts one batch, within `patience`.
    pub(crate) async fn post(&self, request: Request<Bytes>, patience: Duration) -> Result<Response<Bytes>, HttpError> {
        let outcome = match tokio::time::timeout(patience, self.send(request)).await {
            Ok(outcome) => outcome,
            Err(late) => Err(late.into()),
        };
        self.tell(match &outcome {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(chain(&**error)),
        });
        outcome
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = self.client.request(request.map(Full::new)).await?.into_parts();
        let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }

    /// Once for each outage: a batch leaves every few seconds.
    fn tell(&self, trouble: Option<String>) {
        let away = trouble.is_some();
        match (self.away.swap(away, Ordering::Relaxed), trouble, self.signal) {
            (false, Some(error), Signal::Traces) => {
                tracing::warn!(error, "The collector does not take traces; they are dropped");
            }
            (false, Some(error), Signal::Metrics) => {
                tracing::warn!(error, "The collector does not take metrics; the next batch has what this one had");
            }
            (true, None, Signal::Traces) => tracing::info!("The collector takes traces again"),
            (true, None, Signal::Metrics) => tracing::info!("The collector takes metrics again"),
            _ => {}
        }
    }
}

fn trusting_nobody() -> std::io::Result<ClientConfig> {
    let versions =
        ClientConfig::builder_with_provider(ring::default_provider().into()).with_safe_default_protocol_versions();
    let versions = versions.map_err(std::io::Error::other)?;
    Ok(versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}
