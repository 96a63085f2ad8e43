//! What a flood of refused requests may write besides their access events: so many lines of one text between two ticks. The
//! rest is counted, and one line says how many there were.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// How often `Flood::tick` is to be called.
pub const TICK: Duration = Duration::from_secs(1);
/// Lines of one text that are written between two ticks.
pub(super) const LINES: u64 = 20;
/// Texts that are told apart. They are fixed in the code, so there are far fewer.
const KINDS: usize = 256;
/// What begins with so much of the same is one text.
const TEXT: usize = 80;
/// The one text of level 50 that a flood can cause: while the database is away, every request has it.
const UNAVAILABLE: &str = "Service unavailable";

/// The lines since the last tick, by their text.
#[derive(Debug, Default)]
pub(super) struct Flood {
    lines: Mutex<BTreeMap<String, u64>>,
    left_out: AtomicU64,
}

impl Flood {
    /// Whether a place in the code writes lines that a request causes beside its access event.
    pub(super) fn concerns(metadata: &Metadata<'_>) -> bool {
        let caused =
            metadata.fields().field("request_id").is_some() && metadata.fields().field("status_code").is_none();
        caused && matches!(*metadata.level(), Level::WARN | Level::ERROR)
    }

    /// Whether the line is written; counts it.
    pub(super) fn admits(&self, event: &Event<'_>) -> bool {
        let mut text = Text(String::new());
        event.record(&mut text);
        // What is broken here is told each time: no client can cause it at will.
        if *event.metadata().level() == Level::ERROR && text.0 != UNAVAILABLE {
            return true;
        }
        let mut lines = self.lock();
        if lines.len() >= KINDS && !lines.contains_key(&text.0) {
            return true;
        }
        let count = lines.entry(text.0).or_default();
        *count = count.saturating_add(1);
        *count <= LINES
    }

    /// Begins anew, and says in the log what was left out.
    pub(super) fn tick(&self) {
        let lines = std::mem::take(&mut *self.lock());
        for (kind, count) in lines {
            let lines = count.saturating_sub(LINES);
            if lines > 0 {
                self.left_out.fetch_add(lines, Ordering::Relaxed);
                tracing::warn!(kind, lines, "Lines of one kind were left out");
            }
        }
    }

    /// Lines left out since the start, up to the last tick.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        // No code that can panic runs under the lock but the map's own.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A layer that sees what is admitted and nothing else. A filter that looks at each event would be the natural place, but one
/// that refuses an event refuses the next one too (tracing-subscriber 0.3.23, places in the code that are always enabled).
pub(super) struct Bounded<L> {
    pub(super) inner: L,
    pub(super) flood: Arc<Flood>,
}

/// Spans are hidden from the log, so only events have to be handed on.
impl<S: Subscriber, L: Layer<S>> Layer<S> for Bounded<L> {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !Flood::concerns(event.metadata()) || self.flood.admits(event) {
            self.inner.on_event(event, context);
        }
    }
}

/// The text of an event.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to memory fails only where it is told to stop.
            let _ = write!(Cut(&mut self.0), "{value:?}");
        }
    }
}

/// Takes so much and no more.
struct Cut<'a>(&'a mut String);

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = TEXT.saturating_sub(self.0.len());
        let end = part.floor_char_boundary(room.min(part.len()));
        self.0.push_str(part.get(..end).unwrap_or_default());
        Ok(())
    }
}
