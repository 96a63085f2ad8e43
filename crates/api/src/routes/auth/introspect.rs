//! `POST /introspect`: whether a token counts now, and what its holder may do (RFC 7662).

use actix_web::web::{Data, Json};
use serde::Serialize;
use sme_pulse_auth::{
    guard::InspectTokens,
    service::{AuthService, Inspected, InspectedKind},
};
use sme_pulse_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::token_body::{TokenBody, token_of};
use crate::{error::ApiError, input::Body, routes::caller::Watcher};

/// What a token says as of now. Of one that does not count, `active` is all there is; of one that does, what is not
/// marked as optional is there.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct IntrospectionView {
    /// Whether it counts.
    active: bool,
    /// `bearer` for an access token, `refresh_token` for a refresh token.
    #[schema(example = "bearer", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// The user, in decimal digits.
    #[schema(example = "1", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    /// The organization it is for.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<i64>,
    /// The session it belongs to. Optional.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    /// When it was made, in seconds since 1970. Optional.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    /// When it expires, in seconds since 1970.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// Who made it.
    #[schema(example = "sme-pulse", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    /// Whom it is for.
    #[schema(example = "sme-pulse-api", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    /// Its own name. Optional.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    /// What its holder may do now: codes of permissions, with a space between them.
    #[schema(example = "own_account read_organization", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// The user's e-mail address, for callers who may see users. Optional.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
}

impl From<Inspected> for IntrospectionView {
    fn from(token: Inspected) -> Self {
        let scope: Vec<_> = token.permissions.into_iter().map(Permission::code).collect();
        Self {
            active: true,
            token_type: Some(match token.kind {
                InspectedKind::Access => "bearer",
                InspectedKind::Refresh => "refresh_token",
            }),
            sub: Some(token.user.to_string()),
            org_id: Some(token.org.get()),
            sid: token.session.map(sme_pulse_domain::ids::SessionId::get),
            iat: token.issued_at,
            exp: Some(token.expires_at),
            iss: Some(token.issuer),
            aud: Some(token.audience),
            jti: token.token_id,
            scope: Some(scope.join(" ")),
            username: token.email.map(|email| email.as_str().to_owned()),
        }
    }
}

/// Says whether a token counts now, and what its holder may do.
///
/// Of everything but a live access or refresh token of an organization that the caller sees, it says `{"active":false}`. Asking
/// changes nothing.
#[utoipa::path(post, path = "/api/v1/auth/introspect", operation_id = "introspectToken", tag = "auth",
    security(("bearer" = [])),
    request_body(content((TokenBody = "application/x-www-form-urlencoded"), (TokenBody = "application/json"))),
    responses(
        (status = 200, description = "What it says", body = IntrospectionView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    watcher: Watcher<InspectTokens>,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<IntrospectionView>, ApiError> {
    let token = token_of(&body)?;
    let found = auth.introspect(watcher.reach(), token.expose()).await?;
    Ok(Json(found.map_or_else(IntrospectionView::default, IntrospectionView::from)))
}
