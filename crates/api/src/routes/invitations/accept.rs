//! `POST /api/v1/invitations/accept`: an invited person becomes a user.

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::service::{AcceptInvitation, AuthService};
use sme_pulse_domain::text::NAME;

use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, Object, TOKEN, new_password, text},
    routes::{origin, users::PersonView},
};

/// What an invited person sends to become a user.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct AcceptBody {
    /// The token from the link in the mail.
    #[schema(min_length = 1, example = "spi_…")]
    token: String,
    /// Their name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]", example = "Ann Smith")]
    full_name: String,
    /// Their password: at least 8 characters (by default), at most 72 bytes, none of the most common ones, and not their
    /// name or address.
    #[schema(min_length = 8, format = Password)]
    password: String,
}

/// Makes the invited person an active user of the organization, with the roles of the invitation. The link is used up.
///
/// At most 5 requests per client in any 60 seconds (by default), together with those to see an invitation or join by one.
#[utoipa::path(post, path = "/api/v1/invitations/accept", operation_id = "acceptInvitation", tag = "invitations",
    request_body(content = AcceptBody),
    responses(
        (status = 201, description = "The new user", body = PersonView),
        (status = 400, description = "Unknown, used, revoked or expired", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "The address has an account: sign in and join", body = crate::docs::schemas::ErrorEnvelope),
        (status = 413, description = "Body too large", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "Invalid input", body = crate::docs::schemas::ValidationEnvelope),
        (status = 429, description = "Too many requests", body = crate::docs::schemas::RateLimitedEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    context: RequestContext,
    body: Body,
    auth: Data<AuthService>,
) -> Result<HttpResponse, ApiError> {
    let (mut fields, rules) = (Object::of(&body), auth.password_rules());
    let token = fields.required("token", TOKEN);
    let full_name = fields.required("full_name", text(1, NAME));
    let password = fields.required("password", new_password(rules.min_characters, rules.max_bytes));
    let (token, full_name, password) =
        fields.finish(|| Some((token?.into_inner(), full_name?, password?.into_inner())))?;
    let accept = AcceptInvitation { token, full_name, password, origin: origin(&context) };
    let new = auth.accept_invitation(accept).await?;
    context.identify(new.id.get(), new.org.get());
    context.notice(Notice::info("Invitation accepted").email(new.email.masked().to_string()));
    Ok(HttpResponse::Created().json(PersonView::from(new)))
}
