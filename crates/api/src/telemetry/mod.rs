//! Logs: one JSON object (or one readable line) per event, on the console and in a file, without ever holding up or
//! failing a request. Events are written with the macros of `tracing`; spans are invisible to the log.
//!
//! ```text
//! let guard = telemetry::init(&config.log, Console::Stdout)?;   // keep until the end: dropping it writes what is left
//! telemetry::log_settings(config.effective());                  // start-up: all effective settings in one line
//! telemetry::log_access(&AccessRecord { … });                   // once per request, outermost
//! tracing::warn!(request_id = %id, client_ip = %ip, email = telemetry::masked(&body.email), "Failed login attempt");
//! ```
//!
//! The process must leave `main` normally, not by `std::process::exit`, or the guard is not dropped.

mod access;
mod console;
mod filter;
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

use tracing::{Subscriber, subscriber::SetGlobalDefaultError};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_bunyan_formatter::BunyanFormattingLayer;
use tracing_subscriber::{Layer, Registry, fmt::MakeWriter, layer::SubscriberExt};

pub use access::{AccessRecord, log_access};
pub use console::Console;
pub use redact::masked;
pub use settings::log_settings;

use crate::config::{LogConfig, LogLevel};
use filter::EventFilter;
use output::Output;

/// The `name` of every line.
const NAME: &str = "sme-pulse";
/// Lines that may wait for a slow console or disk, about 30 MB; beyond it lines are dropped, counted and reported.
const WAITING_LINES: usize = 65_536;

/// Keeps the log alive. Dropping it writes what still waits, for at most a second.
#[derive(Debug)]
pub struct TelemetryGuard {
    _worker: WorkerGuard,
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        panic::uninstall();
    }
}

/// There is a log already; it can be set up once in a process.
#[derive(Debug, thiserror::Error)]
#[error("the log is already set up")]
pub struct AlreadySetUp(#[from] SetGlobalDefaultError);

/// Sets up the log of this process, panics included. A file that cannot be written is one warning, not an error.
pub fn init(config: &LogConfig, console: Console) -> Result<TelemetryGuard, AlreadySetUp> {
    let (file, trouble) = output::open(config.file.as_deref());
    let dropped = Arc::new(OnceLock::new());
    let output = Output::new(config.format, console, file, Arc::clone(&dropped));
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).thread_name("log");
    let (writer, worker) = builder.finish(output);
    let _ = dropped.set(writer.error_counter());
    tracing::subscriber::set_global_default(subscriber(config.level, writer))?;
    panic::install();
    if let Some(error) = trouble {
        tracing::warn!(%error, "The log file cannot be written; logging to the console only");
    }
    Ok(TelemetryGuard { _worker: worker })
}

/// Bunyan lines of the admitted events. The filter belongs to this layer alone, so that another layer, of traces for
/// example, could still see spans.
fn subscriber<W>(level: LogLevel, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = BunyanFormattingLayer::new(NAME.to_owned(), writer);
    Registry::default().with(layer.with_filter(EventFilter::new(level)))
}
