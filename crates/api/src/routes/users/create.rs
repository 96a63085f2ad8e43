//! `POST /api/v1/users`: adds a person; owners and admins only.

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::{
    guard::WriteUsers,
    service::{AuthService, CreateUser},
};
use sme_pulse_domain::text::NAME;

use super::{fields::new_roles, view::PersonView};
use crate::{
    docs::words::RoleName,
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, EMAIL, Object, new_password, text},
    routes::{caller::Caller, origin},
};

/// A person to be added. One of `role` and `roles` must be there; `roles` wins.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct NewUserBody {
    /// Address; nobody has it yet, in whatever organization.
    #[schema(format = Email)]
    email: String,
    /// Name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]")]
    full_name: String,
    /// The first password: at least 8 characters (by default), at most 72 bytes, none of the most common ones, and not the
    /// person's name or address.
    #[schema(min_length = 8, format = Password)]
    password: String,
    /// The one role to hold: `owner`, `admin`, `accountant` or `cashier`. Only owners add owners.
    #[schema(value_type = Option<RoleName>, example = "cashier")]
    role: Option<String>,
    /// The roles to hold.
    #[schema(min_items = 1, max_items = 4, value_type = Option<Vec<RoleName>>, example = json!(["accountant", "cashier"]))]
    roles: Option<Vec<String>>,
}

/// Adds an active person.
#[utoipa::path(post, path = "/api/v1/users", operation_id = "createUser", tag = "users",
    security(("bearer" = [])), request_body(content = NewUserBody),
    responses(
        (status = 201, description = "The person", body = PersonView),
        (status = 400, description = "The address is taken", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<WriteUsers>,
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    let (mut fields, bounds, origin) = (Object::of(&body), auth.password_rules(), origin(&context));
    let email = fields.required("email", EMAIL);
    let full_name = fields.required("full_name", text(1, NAME));
    let password = fields.required("password", new_password(bounds.min_characters, bounds.max_bytes));
    let roles = new_roles(&mut fields);
    let new = fields.finish(|| {
        let password = password?.into_inner();
        Some(CreateUser { email: email?, full_name: full_name?, password, roles: roles?, origin })
    })?;
    let added = auth.create_user(caller.principal(), new).await?;
    context.notice(Notice::info("User created").email(added.email.masked().to_string()));
    Ok(HttpResponse::Created().json(PersonView::from(added)))
}
