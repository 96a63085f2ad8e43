//! What is logged, how, and where to.

use std::path::PathBuf;

use super::{
    keys::{DEBUG, LOG_FILE, LOG_FORMAT, LOG_LEVEL},
    reader::Reader,
};

/// The log settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The least severe level that is written, already widened by `BACKEND_DEBUG`.
    pub level: LogLevel,
    /// The form of a line.
    pub format: LogFormat,
    /// The file besides standard output.
    pub file: Option<PathBuf>,
}

/// Severities from the most talkative to the most silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything, the lines of libraries included.
    Trace,
    /// Diagnostics of this service.
    Debug,
    /// Requests and events.
    Info,
    /// What deserves a look.
    Warn,
    /// What is broken.
    Error,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One bunyan object.
    Json,
    /// One readable line with the same content.
    Text,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<LogConfig> {
    let level = reader.value(LOG_LEVEL, "must be TRACE, DEBUG, INFO, WARN, WARNING, ERROR or CRITICAL", level);
    let format = reader.value(LOG_FORMAT, "must be json or text", |text| match text.to_ascii_lowercase().as_str() {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    });
    let file = file(reader);
    let debug = reader.flag(DEBUG);
    let level = if debug? { level?.min(LogLevel::Debug) } else { level? };
    Some(LogConfig { level, format: format?, file: Some(file?).filter(|path| !path.as_os_str().is_empty()) })
}

fn level(text: &str) -> Option<LogLevel> {
    match text.to_ascii_uppercase().as_str() {
        "TRACE" => Some(LogLevel::Trace),
        "DEBUG" => Some(LogLevel::Debug),
        "INFO" => Some(LogLevel::Info),
        "WARN" | "WARNING" => Some(LogLevel::Warn),
        "ERROR" | "CRITICAL" => Some(LogLevel::Error),
        _ => None,
    }
}

/// Here alone an empty value means something: no file.
fn file(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let text = reader.present(LOG_FILE).unwrap_or(LOG_FILE.default).trim();
    if text.chars().any(char::is_control) {
        reader.refuse(LOG_FILE, "must be a path without control characters, or empty for no file");
        return None;
    }
    reader.show(LOG_FILE, text);
    Some(PathBuf::from(text))
}
