//! What the documents look like, for the description of the API and for serialization.

use serde::Serialize;
use utoipa::ToSchema;

/// A key set (RFC 7517 section 5).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the library writes it; this describes it")]
pub(super) struct KeySetView {
    /// The keys.
    keys: Vec<KeyView>,
}

/// A public key (RFC 7517 section 4).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the library writes it; this describes it")]
pub(super) struct KeyView {
    /// `OKP` for Ed25519, `EC` for P-256.
    #[schema(example = "OKP")]
    kty: String,
    /// Always `sig`.
    #[schema(rename = "use", example = "sig")]
    purpose: String,
    /// `EdDSA` or `ES256`.
    #[schema(example = "EdDSA")]
    alg: String,
    /// The name of the key, in the header of its tokens: its thumbprint (RFC 7638).
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    kid: String,
    /// `Ed25519` or `P-256`.
    #[schema(example = "Ed25519")]
    crv: String,
    /// The point, or its first coordinate, in base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    x: String,
    /// The second coordinate; P-256 only.
    y: Option<String>,
}

/// What this issuer has (RFC 8414 section 2). What it has not is left out.
#[derive(Serialize, ToSchema)]
pub(super) struct MetadataView<'a> {
    /// The `iss` of tokens.
    #[schema(example = "sme-pulse")]
    pub(super) issuer: &'a str,
    /// Where the key set is.
    #[schema(example = "https://api.example.com/.well-known/jwks.json")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jwks_uri: Option<String>,
    /// Where services ask about a token (RFC 7662).
    #[schema(example = "https://api.example.com/api/v1/auth/introspect")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) introspection_endpoint: Option<String>,
    /// Where tokens are taken back (RFC 7009).
    #[schema(example = "https://api.example.com/api/v1/auth/revoke")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revocation_endpoint: Option<String>,
    /// Where services learn of what was taken back: a signed snapshot, or server-sent events.
    #[schema(example = "https://api.example.com/api/v1/auth/revocations")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revocation_feed_uri: Option<String>,
    /// What tokens that are good now may be signed with.
    #[schema(example = json!(["EdDSA"]))]
    pub(super) access_token_signing_alg_values_supported: Vec<&'static str>,
}
