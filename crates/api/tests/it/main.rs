//! The real application over real sockets and real databases, as clients see it. One binary, so that it links once.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what it found by panicking")]

mod access;
mod support;
