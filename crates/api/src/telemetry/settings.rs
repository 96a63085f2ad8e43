//! The start-up lines about the configuration.

use std::fmt::Write;

/// States all effective settings in one line: `NAME=value NAME=value …`, values in quotes where they need it. The
/// values are expected to be fit for a log already.
pub fn log_settings<'a>(settings: impl Iterator<Item = (&'static str, &'a str)>) {
    let mut list = String::new();
    for (name, value) in settings {
        let separator = if list.is_empty() { "" } else { " " };
        // Writing to memory cannot fail.
        let _ = if value.contains([' ', '"']) {
            write!(list, "{separator}{name}={value:?}")
        } else {
            write!(list, "{separator}{name}={value}")
        };
    }
    tracing::info!(settings = list, "Effective settings");
}
