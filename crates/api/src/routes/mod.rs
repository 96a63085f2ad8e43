//! The resources of the API. Each declares itself once with [`mount::Resource`]; the table of what is mounted, with
//! the access each route needs, follows from that.

mod audit;
mod auth;
mod body_stage;
mod caller;
mod limits;
pub mod mount;
mod root;
mod settings;
pub mod signature;

use std::{sync::Arc, time::Duration};

use actix_web::{App, web::ServiceConfig};
use sme_pulse_domain::{
    audit::Origin,
    clock::{Clock, SystemClock},
};
use utoipa::OpenApi;

use crate::{edge::RequestContext, limit::LimitConfig};
pub use auth::DeviceCookie;
pub use limits::Limits;
use mount::{RouteInfo, Table};

/// What mounting needs; one value for all workers.
#[derive(Clone)]
pub struct RouteSettings {
    /// Longest request body in bytes.
    pub max_body: usize,
    /// The budgets of requests.
    pub limits: Limits,
}

/// Mounts every resource and says which.
pub fn mount(config: &mut ServiceConfig, settings: &RouteSettings) -> Vec<RouteInfo> {
    let mut table = Table::new(config, settings.max_body);
    root::mount(&mut table);
    auth::mount(&mut table, &settings.limits);
    settings::mount(&mut table);
    audit::mount(&mut table);
    table.finish()
}

/// What [`mount`] mounts, without a server around it: the same whatever the settings.
pub fn table() -> Vec<RouteInfo> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let off = LimitConfig { enabled: false, requests: 1, window: Duration::from_secs(1) };
    let settings = RouteSettings { max_body: 0, limits: Limits::new(off, &clock) };
    let mut table = Vec::new();
    let _ = App::new().configure(|config| table = mount(config, &settings));
    table
}

/// The description of every route, for `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = crate::docs::openapi::base();
    document.merge(root::Docs::openapi());
    document.merge(auth::Docs::openapi());
    document.merge(settings::Docs::openapi());
    document.merge(audit::Docs::openapi());
    crate::docs::openapi::add_common_answers(&mut document);
    crate::docs::permissions::add_permissions(&mut document, &table());
    document
}

/// Where a change came from, for the audit trail.
fn origin(context: &RequestContext) -> Origin {
    Origin { request_id: Some(context.request_id()), client_ip: Some(context.client_ip().to_string()) }
}

/// An instant as every answer writes it: UTC, six fraction digits, `Z`.
fn timestamp(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
