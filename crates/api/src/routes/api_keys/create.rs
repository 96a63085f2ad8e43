//! `POST /api/v1/api-keys`: makes a key that acts for the caller.

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::{
    guard::ManageApiKeys,
    service::{AuthService, CreateApiKey, RECENT_MINUTES},
};
use sme_pulse_domain::{
    api_key::{DAYS, FOR_API_KEYS, KeyName, NAME},
    permission::Permission,
};

use super::view::MadeApiKeyView;
use crate::{
    docs::words::KeyPermission,
    edge::{Notice, RequestContext},
    error::{ApiError, Loc},
    input::{Body, Object, integer, text, word},
    routes::{caller::RecentCaller, origin},
};

/// What the key is for.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct ApiKeyBody {
    /// What people call it; need not be the only one of this name.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x1f\x7f-\x9f]*$",
        example = "Nightly bookkeeping"
    )]
    name: String,
    /// What it may do: codes of permissions that the caller holds. Keys never have `own_account`, `write_users`,
    /// `manage_invitations` or `manage_api_keys`.
    #[schema(min_items = 1, max_items = 15, value_type = Vec<KeyPermission>, example = json!(["read_partners", "read_accounts"]))]
    permissions: Vec<String>,
    /// After how many days it is refused; without it, or null, it lives until it is revoked.
    #[schema(minimum = 1, maximum = 365, example = 90)]
    expires_in_days: Option<i64>,
}

/// Makes a key with which a program acts for the caller. Its text is in this answer and is never shown again.
///
/// Whoever makes one has given a proof of the last 15 minutes (403 `step_up_required`). An `Idempotency-Key` is not looked
/// at, since the answer to keep would hold the key: a request that is sent again makes another key.
#[utoipa::path(post, path = "/api/v1/api-keys", operation_id = "createApiKey", tag = "api-keys",
    security(("bearer" = [])), request_body(content = ApiKeyBody),
    responses(
        (status = 201, description = "The key", body = MadeApiKeyView),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it, or the last proof of identity is too old", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The organization has 100 live keys", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input, or a permission that the caller does not hold", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: RecentCaller<ManageApiKeys, RECENT_MINUTES>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Object::of(&body);
    let name = fields.required("name", text(1, NAME)).map(|name| KeyName::parse(&name));
    if let Some(Err(_)) = name {
        fields.refuse(&[Loc::Name("name")], "A name must not contain control characters");
    }
    let permissions = fields.list("permissions", 1, Permission::ALL.len(), word(&FOR_API_KEYS, Permission::code));
    let days = fields.optional("expires_in_days", integer(DAYS.0, DAYS.1));
    let origin = origin(&context);
    let new =
        fields.finish(|| Some(CreateApiKey { name: name?.ok()?, permissions: permissions?, days: days?, origin }))?;
    let made = auth.create_api_key(caller.principal(), &new).await?;
    context.notice(Notice::info("API key created"));
    Ok(HttpResponse::Created().json(MadeApiKeyView::from(&made)))
}
