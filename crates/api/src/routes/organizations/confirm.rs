//! `POST /api/v1/organizations/confirm`: the first owner confirms the address.

use actix_web::web::{Data, Json};
use sme_pulse_auth::service::AuthService;

use super::view::ConfirmedView;
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, SECRET, TOKEN},
    routes::origin,
};

/// What the first owner sends to confirm the address.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct ConfirmSignUpBody {
    /// The token from the link in the mail.
    #[schema(min_length = 1, example = "spu_…")]
    token: String,
    /// The password given at the sign-up, exactly.
    #[schema(min_length = 1, format = Password)]
    password: String,
}

/// Confirms the address of a sign-up, with the password given there: organization and owner exist from now on. The link
/// works once, for 3 days.
///
/// At most 5 requests per client in any 60 seconds (by default), together with sign-ups.
#[utoipa::path(post, path = "/api/v1/organizations/confirm", operation_id = "confirmSignUp", tag = "organizations",
    request_body(content = ConfirmSignUpBody),
    responses(
        (status = 200, description = "Confirmed", body = ConfirmedView),
        (status = 400, description = "Unknown, used or expired, or another password", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The address or the tax code is somebody else’s by now", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<Json<ConfirmedView>, ApiError> {
    let mut fields = Object::of(&body);
    let token = fields.required("token", TOKEN);
    let password = fields.required("password", SECRET);
    let (token, password) = fields.finish(|| Some((token?.into_inner(), password?.into_inner())))?;
    let founded = auth.confirm_sign_up(&token, password, &origin(&context)).await?;
    let owner = &founded.owner;
    context.identify(owner.id.get(), owner.org.get());
    context.notice(Notice::info("Organization signed up").email(owner.email.masked().to_string()).reason("confirmed"));
    Ok(Json(ConfirmedView { message: "Confirmed; log in" }))
}
