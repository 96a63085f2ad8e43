//! A verifier that follows an issuer, against one inside the test that counts, stalls, breaks off and lies.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod fake;
mod feed;
mod feed_faults;
mod keys;
mod model;
mod settings;
