//! The real application over real sockets and real databases, as clients see it. One binary, so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it found by panicking"
)]

mod access;
mod audit;
mod audit_list;
mod conventions;
mod hostile;
mod limits;
mod log_in;
mod logs;
mod own_sessions;
mod restart;
mod session;
mod settings;
mod support;
mod token;
mod validation;
