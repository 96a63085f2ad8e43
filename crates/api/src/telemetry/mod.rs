//! Logs: one JSON object (or one readable line) per event, on the console and in a file, without ever holding up or
//! failing a request. Events are written with the macros of `tracing`; spans are invisible to the log.
//!
//! ```text
//! let guard = telemetry::init(&config.log, Console::Stdout, None)?;   // keep until the end: dropping it writes what is left
//! telemetry::log_settings(config.effective());                  // start-up: all effective settings in one line
//! telemetry::log_access(&AccessRecord { … });                   // once per request, outermost
//! tracing::warn!(request_id = %id, client_ip = %ip, email = telemetry::masked(&body.email), "Failed login attempt");
//! ```
//!
//! The process must leave `main` normally, not by `std::process::exit`, or the guard is not dropped.

mod access;
pub(crate) mod collector;
mod console;
mod filter;
mod flood;
mod otlp;
mod output;
mod panic;
#[cfg(test)]
mod process_tests;
mod redact;
mod sanitize;
mod settings;
#[cfg(test)]
mod tests;
mod text;

use std::sync::{Arc, OnceLock};

use tracing::{Level, Metadata, Subscriber, subscriber::SetGlobalDefaultError};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_bunyan_formatter::BunyanFormattingLayer;
use tracing_subscriber::{
    Layer, Registry, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan,
};

pub use access::{AccessRecord, log_access};
pub use console::Console;
pub use redact::masked;
pub use settings::log_settings;

use crate::config::{Collector, LogConfig, LogLevel};
use filter::EventFilter;
pub use flood::TICK;
use flood::{Bounded, Flood};
use otlp::Exporter;
pub use otlp::TracesError;
use output::Output;

/// The `name` of every line.
const NAME: &str = "sme-pulse";
/// Lines that may wait for a slow console or disk, about 30 MB; beyond it lines are dropped, counted and reported.
const WAITING_LINES: usize = 65_536;

/// Keeps the log alive. Dropping it writes what still waits, for at most a second.
#[derive(Debug)]
pub struct TelemetryGuard {
    /// Before the log, which may have to tell of it.
    traces: Option<Exporter>,
    _worker: WorkerGuard,
    figures: LogFigures,
}

impl TelemetryGuard {
    /// Sends the traces that wait, for a second at the most; those that come later are dropped. On a thread of its own, because
    /// it blocks. It is done when the server has ended, and nothing else does it.
    pub async fn finish_traces(&self) {
        let Some(traces) = &self.traces else { return };
        let provider = traces.provider().clone();
        // Fails only where the runtime ends, and the process with it.
        let _ = tokio::task::spawn_blocking(move || Exporter::finish(&provider)).await;
    }

    /// What the log counts of itself.
    pub fn figures(&self) -> LogFigures {
        self.figures.clone()
    }
}

/// What the log counts of itself. Clones count the same.
#[derive(Debug, Clone)]
pub struct LogFigures {
    dropped: ErrorCounter,
    flood: Arc<Flood>,
}

impl LogFigures {
    /// Says which lines were too many since the last call; to be called every [`TICK`], because until then no more of
    /// their kind are written.
    pub fn tick(&self) {
        self.flood.tick();
    }

    /// Lines that were too many of their kind.
    pub fn left_out(&self) -> u64 {
        self.flood.left_out()
    }

    /// Lines that the output was too slow to take.
    pub fn dropped(&self) -> usize {
        self.dropped.dropped_lines()
    }
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        self.figures.tick();
        panic::uninstall();
    }
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// There is one already; it can be set up once in a process.
    #[error("the log is already set up")]
    AlreadySetUp(#[from] SetGlobalDefaultError),
    /// Traces are wanted and cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
}

/// Sets up the log of this process, panics included. A file that cannot be written is one warning, not an error.
/// Traces are sent where there is a collector that is to have them.
pub fn init(
    config: &LogConfig,
    console: Console,
    collector: Option<&Collector>,
) -> Result<TelemetryGuard, TelemetryError> {
    let traces = collector.and_then(|collector| Some((collector, collector.traces?)));
    let traces = traces.map(|(collector, sampling)| Exporter::start(collector, sampling)).transpose()?;
    let (file, trouble) = output::open(config.file.as_deref());
    let dropped = Arc::new(OnceLock::new());
    let output = Output::new(config.format, console, file, Arc::clone(&dropped));
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).thread_name("log");
    let (writer, worker) = builder.finish(output);
    let flood = Arc::<Flood>::default();
    let figures = LogFigures { dropped: writer.error_counter(), flood: Arc::clone(&flood) };
    let _ = dropped.set(writer.error_counter());
    let log = subscriber(config.level, writer, flood);
    match &traces {
        None => tracing::subscriber::set_global_default(log)?,
        Some(exporter) => {
            // Neither threads nor places in the code: a trace tells of requests. Events are the log's.
            let spans = tracing_opentelemetry::layer()
                .with_tracer(exporter.tracer())
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false);
            tracing::subscriber::set_global_default(log.with(spans.with_filter(filter_fn(is_own_span))))?;
        }
    }
    panic::install();
    if let Some(error) = trouble {
        tracing::warn!(%error, "The log file cannot be written; logging to the console only");
    }
    Ok(TelemetryGuard { traces, _worker: worker, figures })
}

/// Bunyan lines of the admitted events. The filter belongs to this layer alone, so that another layer, of traces for
/// example, could still see spans.
fn subscriber<W>(
    level: LogLevel,
    writer: W,
    flood: Arc<Flood>,
) -> impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = Bounded { inner: BunyanFormattingLayer::new(NAME.to_owned(), writer), flood };
    Registry::default().with(layer.with_filter(EventFilter::new(level)))
}

/// What traces are made of.
fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO && metadata.target().starts_with("sme_pulse")
}
