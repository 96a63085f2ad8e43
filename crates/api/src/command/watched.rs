//! What `serve` does where metrics are wanted: a listener of their own, bound before the database is touched, a collector that is
//! sent them, or both; and the end of it.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    dev::ServerHandle,
    rt::{spawn, task::JoinHandle},
};
use anyhow::Context as _;
use sme_pulse_persistence::Store;

use super::Parts;
use crate::{
    app::Application,
    config::{Collector, Config},
    metrics::{self, HttpMetrics, Metrics, MetricsApp, Probe, Push, Sources, Tasks},
};

/// The bound address, and whom they are sent to how often; at least one of them.
pub(super) struct Watched {
    listener: Option<TcpListener>,
    collector: Option<(Collector, Duration)>,
}

/// What runs for it; dropping it ends it at once.
pub(super) struct Watching {
    server: Option<ServerHandle>,
    push: Option<Push>,
    probe: JoinHandle<()>,
}

impl Watched {
    /// `None` where nobody wants to know: then nothing is counted.
    pub(super) fn prepare(config: &Config) -> anyhow::Result<Option<Self>> {
        let listener = config.metrics.as_ref().map(bind).transpose()?;
        let collector = config.collector.as_ref().and_then(|to| Some((to.clone(), to.metrics?)));
        Ok((listener.is_some() || collector.is_some()).then_some(Self { listener, collector }))
    }

    /// Counts the application's requests from now on, and tells what is counted.
    pub(super) fn start(
        self,
        parts: &Parts,
        application: Application,
        store: &Store,
        tasks: Arc<Tasks>,
    ) -> anyhow::Result<(Application, Option<Watching>)> {
        let http = Arc::new(HttpMetrics::new()?);
        let probe = Arc::<Probe>::default();
        let sources = Sources {
            store: store.clone(),
            auth: application.auth(),
            followers: application.followers(),
            limits: application.limits().clone(),
            tasks,
            probe: Arc::clone(&probe),
            log: parts.telemetry.figures(),
        };
        let metrics = Arc::new(Metrics::new(&http, sources)?);
        let push = match self.collector {
            Some((to, interval)) => Some(Push::start(&to, interval, Arc::clone(&metrics), &parts.clock, &*parts.rng)?),
            None => None,
        };
        let server = self.listener.map(|listener| tell(metrics, parts, listener)).transpose()?;
        let watching = Watching { server, push, probe: spawn(probe.watch(store.clone())) };
        Ok((application.counted(http), Some(watching)))
    }
}

impl Watching {
    /// Ends the listener, and sends what was counted last for a second at the most.
    pub(super) async fn finish(mut self) {
        let push = self.push.take();
        drop(self);
        if let Some(push) = push {
            push.finish().await;
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.probe.abort();
        if let Some(server) = &self.server {
            // The command is sent by the call.
            drop(server.stop(false));
        }
    }
}

fn bind((host, port): &(String, u16)) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind((host.as_str(), *port));
    bound.with_context(|| format!("cannot listen for metrics on {host} port {port}"))
}

fn tell(metrics: Arc<Metrics>, parts: &Parts, listener: TcpListener) -> anyhow::Result<ServerHandle> {
    let app = MetricsApp { metrics, clock: Arc::clone(&parts.clock), rng: Arc::clone(&parts.rng) };
    let listening = metrics::listen(app, listener)?;
    tracing::info!(address = %listening.address, "Metrics are told");
    let handle = listening.server.handle();
    spawn(listening.server);
    Ok(handle)
}
