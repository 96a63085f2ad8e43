//! `POST /api/v1/organizations`: a company signs up with its first owner.

use actix_web::{HttpResponse, web::Data};
use sme_pulse_auth::service::{AuthService, SignUp, SignedUp};
use sme_pulse_domain::text::{CODE, NAME};

use super::view::{SignUpAnswer, ToBeConfirmedView};
use crate::{
    edge::{Notice, RequestContext},
    error::ApiError,
    input::{Body, EMAIL, Object, new_password, text},
    routes::origin,
};

/// A company and its first owner.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handler reads it field by field")]
pub(super) struct SignUpBody {
    /// Name of the company.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]", example = "Acme Ltd")]
    name: String,
    /// Tax code, unique over all organizations.
    #[schema(max_length = 50)]
    tax_code: Option<String>,
    /// The owner's name.
    #[schema(min_length = 1, max_length = 255, pattern = r"[^\s\x85]", example = "Ann Smith")]
    full_name: String,
    /// The owner's e-mail address, in any letter case.
    #[schema(format = Email, example = "ann@example.com")]
    email: String,
    /// The owner's password: at least 8 characters (by default), at most 72 bytes, none of the most common ones, and not
    /// the owner's name or address.
    #[schema(min_length = 8, format = Password)]
    password: String,
}

/// Signs a company up with its first owner, who holds the role `owner`. In development both exist at once. Elsewhere a mail
/// with a link to confirm the address leaves, and until then there is neither; the answer is the same whether the address
/// has an account already, which the mail tells then.
///
/// At most 5 requests per client in any 60 seconds (by default), together with confirmations. Not there where
/// `BACKEND_SIGNUP_ENABLED` is false.
#[utoipa::path(post, path = "/api/v1/organizations", operation_id = "signUp", tag = "organizations",
    request_body(content = SignUpBody),
    responses(
        (status = 201, description = "Signed up, or to be confirmed", body = SignUpAnswer),
        (status = 400, description = "The address has an account (in development)", body = crate::docs::schemas::ErrorEnvelope),
        (status = 409, description = "Tax code of another organization", body = crate::docs::schemas::ErrorEnvelope),
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
    let name = fields.required("name", text(1, NAME));
    let tax_code = fields.optional("tax_code", text(1, CODE));
    let full_name = fields.required("full_name", text(1, NAME));
    let email = fields.required("email", EMAIL);
    let password = fields.required("password", new_password(rules.min_characters, rules.max_bytes));
    let origin = origin(&context);
    let new = fields.finish(|| {
        let password = password?.into_inner();
        Some(SignUp { name: name?, tax_code: tax_code?, full_name: full_name?, email: email?, password, origin })
    })?;
    let (name, email) = (new.name.clone(), new.email.clone());
    let notice = |text| Notice::info(text).email(email.masked().to_string());
    let answer = match auth.sign_up(new).await? {
        SignedUp::Founded(founded) => {
            context.identify(founded.owner.id.get(), founded.organization.id.get());
            context.notice(notice("Organization signed up"));
            SignUpAnswer::Founded(Box::new((*founded).into()))
        }
        SignedUp::ToBeConfirmed => {
            context.notice(notice("Sign-up to be confirmed"));
            let email = email.as_str().to_owned();
            SignUpAnswer::ToBeConfirmed(ToBeConfirmedView { name, email, confirmation_required: true })
        }
    };
    Ok(HttpResponse::Created().json(answer))
}
