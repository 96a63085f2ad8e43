//! Signing access tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, crypto::rust_crypto};
use serde::Serialize;
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    method::{Method, Methods},
    role::RoleSet,
};
use uuid::Uuid;

use super::{
    Algorithm, KeyId, SigningError, SigningKey, check::with_lower_half, key::plain_header, message::REVOCATIONS,
};

/// Signs access tokens with one key.
#[derive(Clone)]
pub struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    key_id: Option<KeyId>,
    issuer: String,
    audience: String,
}

/// What goes into a token. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// The user.
    pub user: UserId,
    /// The organization.
    pub org: OrgId,
    /// The session.
    pub session: SessionId,
    /// The roles at log-in; informational, they grant nothing.
    pub roles: &'a RoleSet,
    /// The token's own name.
    pub token_id: Uuid,
    /// Now.
    pub issued_at: i64,
    /// When it expires.
    pub expires_at: i64,
    /// How the holder of the session has last proved who they are.
    pub methods: Methods,
    /// When that was.
    pub authenticated_at: i64,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: String,
    org_id: i64,
    roles: Vec<&'static str>,
    iat: i64,
    nbf: i64,
    exp: i64,
    iss: &'a str,
    aud: &'a str,
    jti: String,
    sid: String,
    amr: Vec<&'static str>,
    auth_time: i64,
}

impl Signer {
    /// A signer with a shared secret. Whether the secret is strong enough is the configuration's to check.
    pub fn new(secret: &[u8], algorithm: Algorithm, issuer: &str, audience: &str) -> Self {
        Self {
            key: EncodingKey::from_secret(secret),
            algorithm,
            key_id: None,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        }
    }

    /// A signer with a private key, whose name goes into every token.
    pub fn with_key(key: &SigningKey, issuer: &str, audience: &str) -> Self {
        Self {
            key: key.encoding(),
            algorithm: key.algorithm(),
            key_id: Some(key.id().clone()),
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        }
    }

    /// The same shared secret with another algorithm of shared secrets; a private key stays what it is.
    #[cfg(feature = "service")]
    #[must_use]
    pub(crate) fn used_with(self, algorithm: Algorithm) -> Self {
        if self.algorithm.is_symmetric() && algorithm.is_symmetric() { Self { algorithm, ..self } } else { self }
    }

    /// The name of the key; `None` for a shared secret.
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// What it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `aud` of its tokens.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The compact form (RFC 7515 section 7.1).
    pub fn sign(&self, token: &NewToken<'_>) -> Result<String, SigningError> {
        let claims = Claims {
            sub: token.user.to_string(),
            org_id: token.org.get(),
            roles: token.roles.iter().map(sme_pulse_domain::role::Role::code).collect(),
            iat: token.issued_at,
            nbf: token.issued_at,
            exp: token.expires_at,
            iss: &self.issuer,
            aud: &self.audience,
            jti: token.token_id.to_string(),
            sid: token.session.to_string(),
            amr: token.methods.iter().map(Method::word).collect(),
            auth_time: token.authenticated_at,
        };
        self.compact("JWT", &serde_json::to_vec(&claims).map_err(|_| SigningError)?)
    }

    /// A list of revocations (see [`crate::revocation`]) as signed text.
    pub(crate) fn sign_revocations(&self, payload: &[u8]) -> Result<String, SigningError> {
        self.compact(REVOCATIONS, payload)
    }

    /// Whatever it is given, signed as a token.
    #[cfg(test)]
    pub(crate) fn sign_as_token(&self, payload: &[u8]) -> Result<String, SigningError> {
        self.compact("JWT", payload)
    }

    fn compact(&self, typ: &str, payload: &[u8]) -> Result<String, SigningError> {
        let header = plain_header(self.algorithm, typ, self.key_id.as_ref());
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signer = (rust_crypto::DEFAULT_PROVIDER.signer_factory)(&self.algorithm.implementation(), &self.key);
        let mut signature = signer.map_err(|_| SigningError)?.try_sign(message.as_bytes()).map_err(|_| SigningError)?;
        if self.algorithm == Algorithm::Es256 {
            signature = with_lower_half(&signature).ok_or(SigningError)?;
        }
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
