//! The part of the OpenAPI document that belongs to no single route: title, licence, the one security scheme and the
//! shared schemas. Routes add themselves to it.

use actix_web::http::Method;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, PathItem, Ref, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::schemas::{ErrorEnvelope, RateLimitedEnvelope, ValidationEnvelope, ValidationItem};

/// The name of the security scheme: `security((BEARER = []))` marks a route that needs a token.
pub const BEARER: &str = "bearer";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "SME Pulse API",
        version = "1.0.0",
        description = "Sign-in, roles and tenants, and the ledgers of small businesses.\n\n\
            To try calls, log in with `POST /api/v1/auth/login` on the [interactive page](/api/docs), press \
            **Authorize** there and paste the `access_token`; the [reference](/api/redoc) is for reading. Every \
            answer that is not 2xx has one form: `error`, `detail`, `request_id`, `error_code`.",
        license(name = "GPL-3.0-or-later", identifier = "GPL-3.0-or-later")
    ),
    components(schemas(ErrorEnvelope, RateLimitedEnvelope, ValidationEnvelope, ValidationItem)),
    modifiers(&BearerToken)
)]
struct Base;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The `access_token` of a login."))
            .build();
        openapi
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    }
}

/// The document before any route has joined it.
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// Adds the answers that every operation may give, before its handler is asked, where it does not describe them itself.
pub fn add_common_answers(document: &mut utoipa::openapi::OpenApi) {
    for (status, description) in [("400", "Malformed path or query"), ("413", "Body too large")] {
        let envelope = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorEnvelope"))).build();
        let answer = ResponseBuilder::new().description(description).content("application/json", envelope).build();
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            operation.responses.responses.entry(status.to_owned()).or_insert_with(|| answer.clone().into());
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete].into_iter().filter_map(Option::as_mut)
}

/// The description of a mounted method, if it has one. Aliases have none.
pub(super) fn operation<'a>(
    document: &'a mut utoipa::openapi::OpenApi,
    method: &Method,
    path: &str,
) -> Option<&'a mut Operation> {
    let item = document.paths.paths.get_mut(path)?;
    match *method {
        Method::GET => item.get.as_mut(),
        Method::PUT => item.put.as_mut(),
        Method::POST => item.post.as_mut(),
        Method::DELETE => item.delete.as_mut(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_bearer_is_the_only_security_scheme() {
        let json = serde_json::to_value(base()).unwrap();
        let schemes = json["components"]["securitySchemes"].as_object().unwrap();
        assert_eq!(schemes.len(), 1);
        assert_eq!(schemes[BEARER]["type"], "http");
        assert_eq!(schemes[BEARER]["scheme"], "bearer");
    }

    #[test]
    fn every_schema_that_is_referred_to_is_there() {
        let text = base().to_json().unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(json["components"]["schemas"][name].is_object(), "{name} is missing");
        }
    }
}
