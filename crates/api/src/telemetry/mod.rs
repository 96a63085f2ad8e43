//! Logs: set up once, written by events.
