//! The body of `/introspect` and `/revoke`: a token, as a form (RFC 7662 section 2.1, RFC 7009 section 2.1) or as JSON.

use crate::{
    error::ApiError,
    input::{Body, Form, Object, SECRET, Secret, untrimmed},
};

/// A token to be asked about or taken back.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body; the handlers read it field by field")]
pub(super) struct TokenBody {
    /// An access token or a refresh token.
    #[schema(min_length = 1, example = "eyJ0eXAi…")]
    token: String,
    /// `access_token` or `refresh_token`. Tokens tell themselves what they are, so it changes nothing.
    token_type_hint: Option<String>,
}

/// The token in a body of either kind.
pub(super) fn token_of(body: &Body) -> Result<Secret, ApiError> {
    // A hint of any text is taken, and not used.
    let any = untrimmed(0, usize::MAX);
    if body.promises_form() {
        let mut fields = Form::of(body);
        let (token, hint) = (fields.required("token", SECRET), fields.optional("token_type_hint", any));
        return fields.finish(|| hint.and(token));
    }
    let mut fields = Object::of(body);
    let (token, hint) = (fields.required("token", SECRET), fields.optional("token_type_hint", any));
    fields.finish(|| hint.and(token))
}
