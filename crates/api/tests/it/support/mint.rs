//! Tokens made by the tests: with the right secret and whatever else a test wants in them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::Value;

use super::app::SECRET;

/// The header of every token of the product.
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A token with these claims, signed as the product signs.
pub(crate) fn mint(claims: &Value) -> String {
    mint_text(HEADER, &claims.to_string())
}

/// The same from texts, which need not be JSON.
pub(crate) fn mint_text(header: &str, payload: &str) -> String {
    sign_with(SECRET.as_bytes(), Algorithm::HS256, header, payload)
}

/// A token signed with any secret and algorithm.
pub(crate) fn sign_with(secret: &[u8], algorithm: Algorithm, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret), algorithm).unwrap();
    format!("{message}.{signature}")
}

/// A part of a token as text: 0 is the header, 1 the claims.
pub(crate) fn part(token: &str, index: usize) -> String {
    let part = token.split('.').nth(index).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The claims of a token.
pub(crate) fn claims(token: &str) -> Value {
    serde_json::from_str(&part(token, 1)).unwrap()
}

/// The claims of a token with one changed, or taken out by `None`.
pub(crate) fn claims_but(token: &str, name: &str, value: Option<Value>) -> Value {
    let mut claims = claims(token);
    let members = claims.as_object_mut().unwrap();
    members.remove(name);
    members.extend(value.map(|value| (name.to_owned(), value)));
    claims
}
