//! `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`: one document (RFC 8414) under
//! the two names that libraries look for. It names an endpoint only if there is one.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use sme_pulse_auth::service::AuthService;

use super::{document, key_set, view::MetadataView};
use crate::{
    error::{ApiError, Reason},
    routes::mount::RouteInfo,
};

pub(super) const OPENID: &str = "/.well-known/openid-configuration";
pub(super) const OAUTH: &str = "/.well-known/oauth-authorization-server";

const INTROSPECTION: &str = "/api/v1/auth/introspect";
const REVOCATION: &str = "/api/v1/auth/revoke";
const REVOCATIONS: &str = "/api/v1/auth/revocations";

/// What does not change while the server runs.
pub struct Issuer {
    name: String,
    key_set: Option<String>,
    introspection: Option<String>,
    revocation: Option<String>,
    revocations: Option<String>,
}

impl Issuer {
    /// An issuer of tokens with this `iss`, reached at `base` (without a slash at its end), with these routes.
    pub fn new(issuer: &str, base: &str, routes: &[RouteInfo]) -> Self {
        let at = |path: &str| routes.iter().any(|route| route.path == path).then(|| format!("{base}{path}"));
        Self {
            name: issuer.to_owned(),
            key_set: at(key_set::PATH),
            introspection: at(INTROSPECTION),
            revocation: at(REVOCATION),
            revocations: at(REVOCATIONS),
        }
    }

    fn answer(&self, req: &HttpRequest, auth: &AuthService) -> Result<HttpResponse, ApiError> {
        let view = MetadataView {
            issuer: &self.name,
            jwks_uri: self.key_set.clone(),
            introspection_endpoint: self.introspection.clone(),
            revocation_endpoint: self.revocation.clone(),
            revocation_feed_uri: self.revocations.clone(),
            access_token_signing_alg_values_supported: auth.token_algorithms(),
        };
        let text = serde_json::to_string(&view).map_err(|error| ApiError::Internal(Reason(error.to_string())))?;
        Ok(document(req, text))
    }
}

/// What services that check tokens have to know of this issuer.
#[utoipa::path(get, path = "/.well-known/openid-configuration", operation_id = "openidConfiguration", tag = "tokens",
    responses(
        (status = 200, description = "The metadata; may be kept for 60 seconds", body = MetadataView<'static>),
        (status = 304, description = "Unchanged since the answer with the tag in `If-None-Match`"),
    ))]
pub(super) async fn openid(
    req: HttpRequest,
    issuer: Data<Issuer>,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    issuer.answer(&req, &auth)
}

/// The same document under the name of RFC 8414.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", operation_id = "authorizationServerMetadata", tag = "tokens",
    responses(
        (status = 200, description = "The metadata; may be kept for 60 seconds", body = MetadataView<'static>),
        (status = 304, description = "Unchanged since the answer with the tag in `If-None-Match`"),
    ))]
pub(super) async fn oauth(
    req: HttpRequest,
    issuer: Data<Issuer>,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    issuer.answer(&req, &auth)
}
