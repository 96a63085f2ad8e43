//! The far end of the log, on its own thread: turns lines into their final form and writes them in batches to the
//! file and the console. Trouble here is reported in the log itself and goes no further.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use tracing_appender::non_blocking::ErrorCounter;

use super::{console::Console, sanitize, text};
use crate::config::LogFormat;

/// A batch is written at this size even while more lines wait.
const BATCH_BYTES: usize = 64 * 1024;

pub(super) struct Output<F = File> {
    format: LogFormat,
    console: Console,
    file: Option<F>,
    file_failed: bool,
    batch: Vec<u8>,
    dropped: Arc<OnceLock<ErrorCounter>>,
    reported: usize,
}

impl<F: Write> Output<F> {
    pub(super) fn new(
        format: LogFormat,
        console: Console,
        file: Option<F>,
        dropped: Arc<OnceLock<ErrorCounter>>,
    ) -> Self {
        let batch = Vec::with_capacity(BATCH_BYTES);
        Self { format, console, file, file_failed: false, batch, dropped, reported: 0 }
    }

    fn write_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        if let Some(file) = &mut self.file {
            let written = file.write_all(&self.batch).and_then(|()| file.flush());
            let failed_before = std::mem::replace(&mut self.file_failed, written.is_err());
            if let (Err(error), false) = (written, failed_before) {
                tracing::warn!(%error, "The log file cannot be written; some lines are on the console only");
            }
        }
        self.console.write(&self.batch);
        self.batch.clear();
    }

    fn report_dropped(&mut self) {
        let total = self.dropped.get().map(ErrorCounter::dropped_lines).unwrap_or_default();
        if total > self.reported {
            tracing::warn!(
                lines = total.saturating_sub(self.reported),
                "Log lines were dropped: the output is too slow"
            );
            self.reported = total;
        }
    }
}

/// Appends the final form of a bunyan line with its end.
pub(super) fn finish(format: LogFormat, line: &[u8], to: &mut Vec<u8>) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches('\n');
    match format {
        LogFormat::Json => sanitize::escape(line, to),
        LogFormat::Text => sanitize::escape(&text::render(line), to),
    }
    to.push(b'\n');
}

impl<F: Write> Write for Output<F> {
    /// Takes exactly one line, which is what the formatter hands over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        finish(self.format, line, &mut self.batch);
        if self.batch.len() >= BATCH_BYTES {
            self.write_batch();
        }
        Ok(line.len())
    }

    /// Called whenever no more lines wait.
    fn flush(&mut self) -> io::Result<()> {
        self.write_batch();
        self.report_dropped();
        Ok(())
    }
}

/// Why there is no log file.
#[derive(Debug)]
pub(super) struct Trouble {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.source)
    }
}

/// Opens the file for appending and creates its folder.
pub(super) fn open(path: Option<&Path>) -> (Option<File>, Option<Trouble>) {
    let Some(path) = path else { return (None, None) };
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    match made.and_then(|()| OpenOptions::new().append(true).create(true).open(path)) {
        Ok(file) => (Some(file), None),
        Err(source) => (None, Some(Trouble { path: path.to_owned(), source })),
    }
}
