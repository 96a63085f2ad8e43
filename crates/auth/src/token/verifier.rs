//! Verification: the token's text is checked before anything is decoded, the signature before any claim counts.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;

use super::{
    AccessClaims, Algorithm, TokenError,
    claims::Expected,
    json::{Json, Object},
};

/// Longest accepted token in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Verifies access tokens with one key. The key fixes the algorithm; nothing in a token chooses or fetches a key.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    algorithm: Algorithm,
    issuer: Option<String>,
    audience: Option<String>,
    leeway: u32,
}

impl Verifier {
    /// A verifier for tokens signed with a shared secret. The leeway starts at 5 s.
    pub fn new(secret: &[u8], algorithm: Algorithm) -> Self {
        Self { key: DecodingKey::from_secret(secret), algorithm, issuer: None, audience: None, leeway: 5 }
    }

    /// Refuses tokens whose `iss` is there and different.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// Refuses tokens whose `aud` is there and different.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.audience = Some(audience.to_owned());
        self
    }

    /// How far clocks may differ, in seconds, when `exp` and `nbf` are compared.
    #[must_use]
    pub const fn leeway_seconds(mut self, leeway: u32) -> Self {
        self.leeway = leeway;
        self
    }

    /// The leeway in seconds.
    pub const fn leeway(&self) -> u32 {
        self.leeway
    }

    /// The claims of a genuine, current token. `now` is in seconds since 1970.
    pub fn verify(&self, token: &str, now: i64) -> Result<AccessClaims, TokenError> {
        let claims = self.decode(token)?;
        claims.check_times(now, self.leeway)?;
        Ok(claims)
    }

    /// The claims of a genuine token, which may have expired: callers that keep the result check its times on each use
    /// ([`AccessClaims::check_times`]).
    pub fn decode(&self, token: &str) -> Result<AccessClaims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        // Three parts exactly: a period inside one of them is no base64url.
        let (header, payload) = (decode(header)?, decode(payload)?);
        decode(signature)?;
        self.check_header(&Object::parse(&header).ok_or(TokenError::BadHeader)?)?;
        let genuine =
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm.implementation());
        if !genuine.unwrap_or(false) {
            return Err(TokenError::BadSignature);
        }
        let claims = Object::parse(&payload).ok_or(TokenError::BadClaim("set"))?;
        let expected = Expected { issuer: self.issuer.as_deref(), audience: self.audience.as_deref() };
        AccessClaims::read(&claims, &expected)
    }

    fn check_header(&self, header: &Object) -> Result<(), TokenError> {
        match header.get("alg") {
            Some(Json::Text(name)) if name == self.algorithm.name() => {}
            _ => return Err(TokenError::WrongAlgorithm),
        }
        if header.get("crit").is_some() || header.get("b64").is_some() {
            return Err(TokenError::CriticalExtension);
        }
        // A name picks one of the configured keys at most (RFC 8725 section 3.10), and a shared secret has none.
        if header.get("kid").is_some() {
            return Err(TokenError::UnknownKey);
        }
        match header.get("typ") {
            None => Ok(()),
            Some(Json::Text(kind)) if kind.eq_ignore_ascii_case("JWT") => Ok(()),
            Some(_) => Err(TokenError::BadHeader),
        }
    }
}

/// Strict: the alphabet of RFC 4648 section 5, no padding, no stray bits in the last character.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    if part.is_empty() {
        return Err(TokenError::Malformed);
    }
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}
