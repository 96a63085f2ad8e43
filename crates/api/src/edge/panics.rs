//! Panics inside a request are faults of our own: answered 500, logged once with their place, and the end of nothing.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

thread_local! {
    /// Whether this thread is inside a request, whose panics the edge logs itself.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Text and place of the last panic inside a request, from the hook until the edge collects it.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces the default hook, which writes plain text to stderr past the log. Call once at start.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let text = describe(info);
        if INSIDE.get() {
            LAST.with(|last| *last.borrow_mut() = Some(text));
        } else {
            tracing::error!(error = text, "A thread panicked");
        }
    }));
}

/// Runs a step of a request; `Err` says what it panicked with and where.
pub(super) fn catch<T>(step: impl FnOnce() -> T) -> Result<T, String> {
    let outer = INSIDE.replace(true);
    // Whatever the step touched is dropped with the request, so a broken invariant is not seen again.
    let result = catch_unwind(AssertUnwindSafe(step));
    INSIDE.set(outer);
    result.map_err(|payload| {
        let seen = LAST.with(|last| last.borrow_mut().take());
        seen.unwrap_or_else(|| message(&*payload).to_owned())
    })
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let text = message(info.payload());
    info.location().map_or_else(|| text.to_owned(), |place| format!("{text} at {}:{}", place.file(), place.line()))
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let fixed = payload.downcast_ref::<&'static str>().copied();
    fixed.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_panic_keeps_its_text() {
        assert!(catch(|| -> u8 { panic!("number {}", 7) }).unwrap_err().contains("number 7"));
        assert_eq!(catch(|| 5), Ok(5));
    }
}
