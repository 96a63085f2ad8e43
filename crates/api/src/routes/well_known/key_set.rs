//! `GET /.well-known/jwks.json`: the public keys of access tokens (RFC 7517).

use actix_web::{HttpRequest, HttpResponse, web::Data};
use sme_pulse_auth::service::AuthService;

use super::{document, view::KeySetView};
use crate::error::ApiError;

pub(super) const PATH: &str = "/.well-known/jwks.json";

/// The public keys that access tokens are checked with: the one that signs, the one that will sign next, and those whose tokens
/// have not all expired. Empty where tokens are signed with a shared secret.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "keySet", tag = "tokens",
    responses(
        (status = 200, description = "The key set; may be kept for 60 seconds", body = KeySetView),
        (status = 304, description = "Unchanged since the answer with the tag in `If-None-Match`"),
        (status = 503, description = "The keys have not been read yet", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(req: HttpRequest, auth: Data<AuthService>) -> Result<HttpResponse, ApiError> {
    Ok(document(&req, auth.published_keys().await?))
}
