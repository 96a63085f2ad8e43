//! The real application over real sockets and real databases, as clients see it. One binary, so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it found by panicking"
)]

mod access;
mod accounts;
mod api_keys;
mod audit;
mod audit_list;
mod console;
mod conventions;
mod customers;
mod guessing;
mod hostile;
mod housekeeping;
mod idempotency;
mod invitations;
mod isolation;
mod limits;
mod log_in;
mod logs;
mod mail;
mod notices;
mod organizations;
mod own_sessions;
mod passwords;
mod proof_guesses;
mod refresh;
mod refresh_storm;
mod restart;
mod revocations;
mod second_factor;
mod second_factor_secrecy;
mod session;
mod settings;
mod sign_up;
mod step_up;
mod support;
mod token;
mod token_desk;
mod users;
mod users_access;
mod users_input;
mod users_parallel;
mod users_sessions;
mod validation;
mod well_known;
