//! The listener of `/metrics`: one thread of its own, so that a scrape is answered while the workers are busy, behind the
//! same edge as everything else. Nothing but `/metrics` is there.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpResponse,
    http::header,
    web::{self, Data},
};
use sme_pulse_domain::{clock::Clock, rng::Rng};

use super::{Metrics, TEXT};
use crate::{
    edge::{Edge, EdgeParts, Origins},
    error::ApiError,
    routes::mount::{Resource, Table},
    server::{self, Bounds, Listening},
    telemetry,
};

/// Connections at once: a few scrapers with a few connections each.
const CONNECTIONS: usize = 32;
/// A scrape reads memory; what takes longer is stuck.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bodies are of no use here.
const MAX_BODY: usize = 1_024;

/// What the listener needs.
#[derive(Clone)]
pub struct MetricsApp {
    /// What is told.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where request ids come from.
    pub rng: Arc<dyn Rng>,
}

/// Prepares the server on a bound listener.
pub fn listen(app: MetricsApp, listener: TcpListener) -> std::io::Result<Listening> {
    let MetricsApp { metrics, clock, rng } = app;
    let edge = Edge::new(EdgeParts {
        clock,
        rng,
        origins: Origins::Only(Vec::new()),
        timeout: TIMEOUT,
        resolve_client: Arc::new(|peer, _| peer),
        trust_peer: Arc::new(|_| false),
        log_access: Arc::new(telemetry::log_access),
        metrics: None,
    });
    let metrics = Data::from(metrics);
    let bounds = Bounds { connections: CONNECTIONS, stop_seconds: 1, ..Bounds::for_workers(1) };
    server::listen(listener, bounds, edge.clone(), move || {
        App::new()
            .app_data(metrics.clone())
            .configure(|config| {
                let mut table = Table::new(config, MAX_BODY);
                table.add(&Resource::at("/metrics").open_get(scrape).no_store());
            })
            .default_service(web::to(async || Err::<HttpResponse, _>(ApiError::NotFound("Not Found"))))
            .wrap(edge.clone())
    })
}

async fn scrape(metrics: Data<Metrics>) -> Result<HttpResponse, ApiError> {
    let text = metrics.text().map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, TEXT)).body(text))
}
