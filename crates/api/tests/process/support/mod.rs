//! Processes, their homes and databases, and bounded waiting.

mod audit;
mod cluster;
mod collector;
mod home;
mod http;
mod metrics;
mod proxy;
mod raw;
mod rows;
mod server;
mod wait;

pub(crate) use audit::assert_unbroken_audit_trail;
pub(crate) use cluster::Cluster;
pub(crate) use collector::Collector;
pub(crate) use home::{Done, Home};
pub(crate) use http::{Answer, BODY, assert_clean_unavailable, send};
pub(crate) use proxy::{Proxy, free_port};
pub(crate) use raw::Raw;
pub(crate) use server::Server;
pub(crate) use wait::{elapsed, note, pause, until};

/// A signing key that no rule objects to.
pub(crate) const KEY: &str = "k9Qw2Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpE";
