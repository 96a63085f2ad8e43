//! Which events are written: those of this service by the configured level, those of libraries only when they warn.
//! Spans are never admitted, so the formatter sees none and `msg` is exactly what the code says.

use tracing::{Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::layer::{Context, Filter};

use crate::config::LogLevel;

/// What the names of our crates, and so the targets of our events, begin with.
const OWN: &str = "sme_pulse";

pub(super) struct EventFilter {
    own: LevelFilter,
    libraries: LevelFilter,
}

impl EventFilter {
    pub(super) fn new(level: LogLevel) -> Self {
        let own = match level {
            LogLevel::Trace => LevelFilter::TRACE,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Error => LevelFilter::ERROR,
        };
        let libraries = if level == LogLevel::Trace { own } else { own.min(LevelFilter::WARN) };
        Self { own, libraries }
    }

    fn admits(&self, metadata: &Metadata<'_>) -> bool {
        let limit = if metadata.target().starts_with(OWN) { self.own } else { self.libraries };
        metadata.is_event() && *metadata.level() <= limit
    }
}

impl<S: Subscriber> Filter<S> for EventFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.admits(metadata)
    }

    /// The answer never changes, so each place in the code is asked about once.
    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.admits(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.own)
    }
}
