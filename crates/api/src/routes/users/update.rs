//! `PUT /api/v1/users/{user_id}`: changes a person; owners and admins, and everybody their own name.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use sme_pulse_auth::{
    guard::UseOwnAccount,
    service::{AuthService, UpdatedUser},
};
use sme_pulse_domain::{ids::UserId, permission::Permission, person::PersonPatch, status::Status};

use super::{
    fields::{FULL_NAME, role_change},
    view::PersonView,
};
use crate::{
    docs::words::{RoleName, UserStatusName},
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, Word, word},
    routes::{caller::Caller, origin},
};

const STATUS: Word<Status> = word(&[Status::Active, Status::Inactive], Status::as_str);

/// A partial update: absent fields stay. The address cannot be changed; sent along, it is ignored.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct UserBody {
    /// Name; null clears it.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]")]
    full_name: Option<String>,
    /// A role to hold: `owner`, `admin`, `accountant` or `cashier`. Nothing changes when it is held already; else it
    /// replaces all roles.
    #[schema(value_type = RoleName, required = false, example = "cashier")]
    role: Option<String>,
    /// The whole set of roles; wins over `role`.
    #[schema(min_items = 1, max_items = 4, value_type = Vec<RoleName>, required = false, example = json!(["accountant", "cashier"]))]
    roles: Option<Vec<String>>,
    /// `active` or `inactive`. Whoever becomes inactive is logged out everywhere.
    #[schema(value_type = UserStatusName, required = false, example = "active")]
    status: Option<String>,
}

/// Changes a person. Who is neither owner nor admin changes their own name only.
#[utoipa::path(put, path = "/api/v1/users/{user_id}", operation_id = "updateUser", tag = "users",
    security(("bearer" = [])), request_body(content = UserBody),
    params(("user_id" = i64, Path, description = "The `id` of the user")),
    responses(
        (status = 200, description = "The person as they are now", body = PersonView),
        (status = 400, description = "The last active owner, or the own deactivation", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 404, description = "Nobody of that id belongs here", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<UseOwnAccount>,
    context: RequestContext,
    req: HttpRequest,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<PersonView>, ApiError> {
    let (mut fields, caller) = (Object::of(&body), caller.principal());
    let user = fields.path_id(&req, "user_id").map(UserId::new);
    if let Some(user) = user {
        // A 403 comes before the body is looked at.
        auth.reaches(caller, user, Permission::WriteUsers)?;
    }
    let full_name = fields.nullable("full_name", FULL_NAME);
    let roles = role_change(&mut fields);
    let status = fields.changed("status", STATUS);
    let (user, patch) =
        fields.finish(|| Some((user?, PersonPatch { full_name: full_name?, roles: roles?, status: status? })))?;
    let updated = auth.update_user(caller, user, &patch, &origin(&context)).await?;
    notice(&context, &updated);
    Ok(Json(updated.person.into()))
}

/// What the log says about changes of role and status.
pub(super) fn notice(context: &RequestContext, updated: &UpdatedUser) {
    let email = || updated.person.email.masked().to_string();
    if updated.roles_changed {
        context.notice(Notice::info("User roles changed").email(email()));
    }
    match updated.new_status {
        Some(Status::Active) => context.notice(Notice::info("User activated").email(email())),
        Some(Status::Inactive) => context.notice(Notice::info("User deactivated").email(email())),
        None => {}
    }
}
