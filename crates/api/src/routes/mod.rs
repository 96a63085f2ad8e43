//! The resources of the API. Each declares itself once with [`mount::Resource`]; the table of what is mounted, with
//! the access each route needs, follows from that.

mod accounts;
mod amount;
mod api_keys;
mod audit;
mod auth;
mod body_stage;
mod caller;
mod invitations;
mod limits;
pub mod mount;
mod organizations;
mod page;
mod partners;
mod repeatable;
mod root;
mod settings;
pub mod signature;
mod users;
mod well_known;

use std::{sync::Arc, time::Duration};

use actix_web::{App, web::ServiceConfig};
use sme_pulse_domain::{
    audit::Origin,
    clock::{Clock, SystemClock},
};
use utoipa::OpenApi;

use crate::{edge::RequestContext, limit::LimitConfig, metrics::HttpMetrics};
pub use auth::{DeviceCookie, Followers};
pub use limits::Limits;
use mount::{RouteInfo, Table};
pub use repeatable::RunningKeys;
pub use well_known::Issuer;

/// What mounting needs; one value for all workers.
#[derive(Clone)]
pub struct RouteSettings {
    /// Longest request body in bytes.
    pub max_body: usize,
    /// The budgets of requests.
    pub limits: Limits,
    /// Whether companies can sign up.
    pub sign_up: bool,
    /// Counts requests, if anybody wants to know.
    pub metrics: Option<Arc<HttpMetrics>>,
}

/// Mounts every resource and says which.
pub fn mount(config: &mut ServiceConfig, settings: &RouteSettings) -> Vec<RouteInfo> {
    let mut table = Table::new(config, settings.max_body).counted(settings.metrics.as_deref());
    root::mount(&mut table);
    well_known::mount(&mut table);
    auth::mount(&mut table, &settings.limits);
    settings::mount(&mut table);
    audit::mount(&mut table);
    users::mount(&mut table);
    partners::mount(&mut table);
    accounts::mount(&mut table);
    invitations::mount(&mut table, &settings.limits);
    api_keys::mount(&mut table);
    if settings.sign_up {
        organizations::mount(&mut table, &settings.limits);
    }
    table.finish()
}

/// What [`mount()`] mounts with everything switched on, without a server around it.
pub fn table() -> Vec<RouteInfo> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let off = LimitConfig { enabled: false, requests: 1, window: Duration::from_secs(1) };
    let settings = RouteSettings { max_body: 0, limits: Limits::new(off, &clock, None), sign_up: true, metrics: None };
    let mut table = Vec::new();
    let _ = App::new().configure(|config| table = mount(config, &settings));
    table
}

/// The description of every route, for `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = crate::docs::openapi::base();
    document.merge(root::Docs::openapi());
    document.merge(well_known::Docs::openapi());
    document.merge(auth::Docs::openapi());
    document.merge(settings::Docs::openapi());
    document.merge(audit::Docs::openapi());
    document.merge(users::Docs::openapi());
    document.merge(partners::Docs::openapi());
    document.merge(accounts::Docs::openapi());
    document.merge(invitations::Docs::openapi());
    document.merge(api_keys::Docs::openapi());
    document.merge(organizations::Docs::openapi());
    crate::docs::openapi::add_common_answers(&mut document);
    crate::docs::permissions::add_permissions(&mut document, &table());
    document
}

/// The same where companies cannot sign up.
pub fn openapi_without_sign_up() -> utoipa::openapi::OpenApi {
    let mut document = openapi();
    document.paths.paths.retain(|path, _| !path.starts_with(organizations::PREFIX));
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
