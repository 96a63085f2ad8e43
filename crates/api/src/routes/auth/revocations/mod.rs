//! `GET /revocations`: what was taken back before its time, signed; in one piece or as it happens.

mod follow;
mod followers;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{self, HeaderMap, HeaderName},
    },
    web::Data,
};
use sme_pulse_auth::{
    guard::FollowRevocations,
    service::{AuthService, RevocationProgress},
};

pub use followers::Followers;

use crate::{
    edge::RequestContext,
    error::ApiError,
    input::{Query, integer},
    routes::caller::Watcher,
};
use follow::Following;
use followers::{Follower, Place};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells a proxy in front that this must not wait in its buffer.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const EVENT_STREAM: &str = "text/event-stream";

/// What was taken back before its time, as far as the caller sees it: ended sessions, users, memberships, organizations, keys.
///
/// The answer is one signed message (JWS) with everything that still concerns a token, or with `Accept: text/event-stream` a
/// stream of them: first the same or what came after the last one known, then each piece of news, and a sign of life every second.
#[utoipa::path(get, path = "/api/v1/auth/revocations", operation_id = "followRevocations", tag = "auth",
    security(("bearer" = [])),
    params(
        ("after" = Option<u64>, Query, description = "The number of the last message known, to go on from there"),
        ("Last-Event-ID" = Option<String>, Header, description = "The same, as browsers and libraries for event streams send it; \
            it counts before `after`"),
    ),
    responses(
        (status = 200, description = "A signed message, or a stream of them", content(
            (String = "application/jwt", example = "eyJ0eXAiOiJyZXZvY2F0aW9ucytqd3QiLCJhbGciOiJFZERTQSJ9.…"),
            (String = "text/event-stream", example = "id: 7\nevent: revocations\ndata: eyJ0eXAi…\n\n"),
        )),
        (status = 400, description = "A malformed query", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "A wrong number", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "The caller follows too often at once", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    watcher: Watcher<FollowRevocations>,
    req: HttpRequest,
    context: RequestContext,
    auth: Data<AuthService>,
    followers: Data<Followers>,
) -> Result<HttpResponse, ApiError> {
    let known = known(&req)?;
    let only = watcher.reach().only();
    if !wants_events(req.headers()) {
        let message = auth.revocations_after(known, only).await?;
        return Ok(HttpResponse::Ok().content_type("application/jwt").body(message.text));
    }
    let mut answer = HttpResponse::Ok();
    answer.content_type(EVENT_STREAM).insert_header((X_ACCEL_BUFFERING, "no"));
    if *req.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    let place = Place::take(&followers, Follower::of(watcher.reach()))?;
    Ok(answer.streaming(Following::begin((req, context), (auth, only), place, known).await?.into_stream()))
}

/// The number after which to go on. A header that is no number, which no client of ours sends, asks for a snapshot.
fn known(req: &HttpRequest) -> Result<Option<RevocationProgress>, ApiError> {
    let mut query = Query::of(req)?;
    let after = query.optional("after", integer(0, i64::MAX));
    let after = query.finish(|| Some(after?.and_then(|after| u64::try_from(after).ok())))?;
    let header = req.headers().get(LAST_EVENT_ID).map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
    Ok(header.unwrap_or(after).map(RevocationProgress::claimed))
}

/// Whether any element of `Accept` is the event stream; a client that refuses it by `q=0` does not name it at all.
fn wants_events(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let mut types = lines.flat_map(|line| line.split(',')).filter_map(|element| element.split(';').next());
    types.any(|media| media.trim().eq_ignore_ascii_case(EVENT_STREAM))
}
