//! From what the inside said to what the client gets: envelope, headers, connection, and the log.

use std::cell::RefCell;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use uuid::fmt::Hyphenated;

use super::body::{BodyStatus, Closing, Ending};
use super::flight::{CLIENT_GONE, Flight, Turn};
use super::{cors, headers};
use crate::error::{self, ApiError};
use crate::trace;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What the inside said. The request is missing where the inside lost it: on a panic, a time-out, a layer's error.
pub(super) struct Outcome {
    request: Option<HttpRequest>,
    response: HttpResponse,
}

impl Outcome {
    pub(super) fn answered(answer: ServiceResponse) -> Self {
        let (request, response) = answer.into_parts();
        Self { request: Some(request), response }
    }

    pub(super) fn refused(req: ServiceRequest, error: ApiError) -> Self {
        Self { request: Some(req.into_parts().0), response: HttpResponse::from_error(error) }
    }

    pub(super) fn preflight(req: ServiceRequest, answer: Result<HttpResponse, ApiError>) -> Self {
        Self { request: Some(req.into_parts().0), response: answer.unwrap_or_else(HttpResponse::from_error) }
    }

    pub(super) fn failed(error: impl Into<Error>) -> Self {
        Self { request: None, response: HttpResponse::from_error(error) }
    }

    pub(super) fn panicked(text: &str) -> Self {
        Self::failed(ApiError::internal(format!("panic: {text}")))
    }

    /// Replaces whatever was said by an error.
    pub(super) fn become_error(&mut self, error: ApiError) {
        self.response = HttpResponse::from_error(error);
    }
}

/// Completes the answer and writes the log.
pub(super) fn finish(flight: &mut Flight, outcome: Outcome) -> Result<ServiceResponse, Error> {
    let Outcome { request, mut response } = outcome;
    let took = flight.elapsed();
    let mut buffer = [0; Hyphenated::LENGTH];
    let id = flight.id(&mut buffer);
    let mut status = response.status().as_u16();
    let mut exhausted = false;
    if response.status().is_client_error() || response.status().is_server_error() {
        (response, status, exhausted) = envelop(flight, response, id);
    }
    let head = response.headers_mut();
    headers::write(head, id, took);
    flight.context().write_promised(head);
    if let Some(metrics) = flight.metrics().filter(|_| exhausted) {
        metrics.refused(head.get(RATE_LIMIT));
    }
    cors::write(flight.origin.take(), head);
    if flight.turn != Turn::Any {
        // The HTTP library goes by the newest request of a connection: when others follow in one piece it would not
        // end the connection. And to an upgrade it would agree.
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response = close_if_unread(flight, response);
    flight.log(status, took);
    match request {
        Some(request) => Ok(ServiceResponse::new(request, response)),
        None => Err(Prepared(RefCell::new(Some(response))).into()),
    }
}

/// Writes the envelope over whatever body the error has, keeps its headers, logs and counts it, and says which status to log
/// and whether a budget was used up.
fn envelop(flight: &Flight, mut response: HttpResponse, id: &str) -> (HttpResponse, u16, bool) {
    let known = response.error().and_then(Error::as_error::<ApiError>);
    let exhausted = matches!(known, Some(ApiError::RateLimited(_)));
    let (body, gone) = if let Some(error) = known {
        trace::telling(flight.trace(), || error::log(error, id, flight.client_ip()));
        let class = error.class();
        count(flight, class.code);
        (error::render(&class, id), matches!(error, ApiError::ClientGone))
    } else {
        let class = error::foreign(response.status());
        count(flight, class.code);
        log_foreign(flight, &response, id);
        *response.status_mut() = class.status;
        class.write_headers(response.headers_mut());
        (error::render(&class, id), false)
    };
    let status = if gone { CLIENT_GONE } else { response.status().as_u16() };
    let head = response.headers_mut();
    head.insert(header::CONTENT_TYPE, JSON);
    head.remove(header::CONTENT_ENCODING);
    if !head.contains_key(header::CACHE_CONTROL) {
        head.insert(header::CACHE_CONTROL, NO_STORE);
    }
    (response.set_body(BoxBody::new(body)), status, exhausted)
}

fn count(flight: &Flight, code: &'static str) {
    if let Some(metrics) = flight.metrics() {
        metrics.failed(code);
    }
}

/// An error that did not come as an [`ApiError`] is worth a line when it is our fault.
fn log_foreign(flight: &Flight, response: &HttpResponse, request_id: &str) {
    if response.status().is_server_error() {
        let error = response.error().map_or_else(|| response.status().to_string(), |error| error::chain(error));
        let trace_id = flight.trace().map(tracing::field::display);
        tracing::error!(request_id, client_ip = %flight.client_ip(), trace_id, error, "Unexpected error");
    }
}

/// Announces the end of the connection, and brings it about, when the request's body was not read to its end.
fn close_if_unread(flight: &mut Flight, mut response: HttpResponse) -> HttpResponse {
    let Some(body) = flight.body.take() else { return response };
    let too_large = response.status() == StatusCode::PAYLOAD_TOO_LARGE;
    if body.status() == BodyStatus::Finished && !flight.discarded && !too_large {
        return response;
    }
    response.head_mut().set_connection_type(ConnectionType::Close);
    // While a body is open the HTTP library lingers by itself; otherwise it would go on with the next request.
    let ending = if body.status() == BodyStatus::Open { Ending::Linger } else { Ending::Cut };
    if ending == Ending::Cut {
        flight.linger();
    }
    response.map_body(|_, inner| BoxBody::new(Closing::new(inner, ending, body)))
}

/// A finished answer on its way out where the request is gone; its body needs no request.
struct Prepared(RefCell<Option<HttpResponse>>);

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared")
    }
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a finished answer")
    }
}

impl ResponseError for Prepared {
    fn error_response(&self) -> HttpResponse {
        self.0.take().unwrap_or_else(|| HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR))
    }
}
