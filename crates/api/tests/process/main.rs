//! The binary as a process: its configuration, commands, exit codes and signals, and what is left when it, its
//! database or its clients fail. Every test starts real processes in a directory and on a database of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it found by panicking"
)]

mod api_keys;
mod audit;
mod backup;
mod config_check;
mod configuration;
mod connections;
mod dashboards;
mod db_copy;
mod doctor;
mod faults;
mod feed;
mod flood;
mod importing;
mod keys;
mod kill_commands;
mod kill_serve;
mod metrics;
mod migrate;
mod organizations;
mod outage;
mod outage_sqlite;
mod pushed_metrics;
mod replicas;
mod revocation;
mod row_security;
mod secret;
mod seed;
mod seed_demo;
mod settings;
mod shared_limits;
mod stop;
mod storm;
mod support;
mod traces;
mod users;
