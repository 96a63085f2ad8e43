//! Panics go into the log like any other failure, instead of as loose lines to standard error.

use std::panic::{PanicHookInfo, set_hook, take_hook};

pub(super) fn install() {
    set_hook(Box::new(log));
}

/// Back to standard error, for what happens after the log has ended.
pub(super) fn uninstall() {
    if !std::thread::panicking() {
        drop(take_hook());
    }
}

fn log(info: &PanicHookInfo<'_>) {
    let reason = info.payload_as_str().unwrap_or("a value that is no text");
    let location = info.location().map(ToString::to_string);
    let thread = std::thread::current().name().map(ToOwned::to_owned);
    tracing::error!(reason, location, thread, "Panic");
}
