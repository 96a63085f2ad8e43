//! `/`, `/health` and `/health/ready`: what monitors and people look at first.

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
    web::{Bytes, Data},
};
use sme_pulse_persistence::Store;
use utoipa::OpenApi;

use super::mount::{Resource, Table};
use crate::{app::ServiceInfo, error::ApiError, server::Departure};

const OK: Bytes = Bytes::from_static(br#"{"status":"ok"}"#);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(OpenApi)]
#[openapi(paths(service_info, live, ready))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at("/").open_get(service_info));
    table.add(&Resource::at("/health").open_get(live));
    table.add(&Resource::at("/health/ready").open_get(ready));
}

/// Which service this is.
#[utoipa::path(get, path = "/", operation_id = "serviceInfo", tag = "health",
    responses((status = 200, description = "Name, version and environment", body = crate::app::ServiceView)))]
async fn service_info(info: Data<ServiceInfo>) -> HttpResponse {
    json(info.body())
}

/// Whether the process is alive. Never touches the database.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "health",
    responses((status = 200, description = "Alive", body = crate::docs::schemas::StatusView)))]
async fn live() -> HttpResponse {
    json(OK)
}

/// Whether requests should be sent here: the database answers within 2 s, its migrations are current, and the server has not
/// been told to stop.
#[utoipa::path(get, path = "/health/ready", operation_id = "ready", tag = "health",
    responses(
        (status = 200, description = "Ready", body = crate::docs::schemas::StatusView),
        (status = 503, description = "Not ready", body = crate::docs::schemas::ErrorEnvelope),
    ))]
async fn ready(store: Data<Store>, departure: Data<Departure>) -> Result<HttpResponse, ApiError> {
    if departure.is_announced() {
        return Err(ApiError::Leaving);
    }
    if !store.is_ready().await {
        return Err(ApiError::unavailable("the database does not answer, or its migrations are not current"));
    }
    Ok(json(OK))
}

fn json(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(body)
}
