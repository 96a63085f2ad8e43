//! Lines for the person at the terminal. A closed pipe is not an error worth a panic.

use std::fmt::Display;
use std::io::Write;

/// Prints one line to stdout at once.
pub(crate) fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to be told when the reader has gone.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
