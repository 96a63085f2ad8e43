//! Signed text (RFC 7515, compact form) whose header says what it is for: an access token is no revocation list and the
//! other way round.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    KeyRing, TokenError, VerifyingKey,
    json::{Json, Object},
};

/// A genuine message.
pub(crate) struct Opened<'a> {
    /// What was signed.
    pub(crate) payload: Vec<u8>,
    /// The key that signed it.
    pub(crate) key: &'a VerifyingKey,
}

/// What a header may say about its message's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `typ` absent or `JWT`.
    AccessToken,
    /// `typ` is `revocations+jwt`.
    Revocations,
}

/// The type of signed lists of revocations.
pub(crate) const REVOCATIONS: &str = "revocations+jwt";

impl KeyRing {
    /// The text is checked before anything is decoded, and the signature before anything signed counts. Whether the key still
    /// counts is the caller's to ask.
    pub(crate) fn open(&self, text: &str, kind: Kind) -> Result<Opened<'_>, TokenError> {
        let (message, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        // Three parts exactly: a period inside one of them is no base64url.
        let plain = self.iter().find(|key| kind == Kind::AccessToken && key.has_plain_header(header));
        let (key, payload, signature) = if let Some(key) = plain {
            (key, decode(payload)?, decode(signature)?)
        } else {
            let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
            (self.key_of(&Object::parse(&header).ok_or(TokenError::BadHeader)?, kind)?, payload, signature)
        };
        if key.is_canonical(&signature) && key.is_genuine(message.as_bytes(), &signature) {
            Ok(Opened { payload, key })
        } else {
            Err(TokenError::BadSignature)
        }
    }

    /// The name in a header picks one of the keys at most (RFC 8725 section 3.10), and the key fixes the algorithm.
    fn key_of(&self, header: &Object<'_>, kind: Kind) -> Result<&VerifyingKey, TokenError> {
        let named = match header.get("kid") {
            None => None,
            Some(Json::Text(name)) => Some(&**name),
            Some(_) => return Err(TokenError::UnknownKey),
        };
        let Some(Json::Text(algorithm)) = header.get("alg") else { return Err(TokenError::WrongAlgorithm) };
        let missing = if named.is_none() { TokenError::WrongAlgorithm } else { TokenError::UnknownKey };
        let key = self.find(named).ok_or(missing)?;
        if algorithm != key.algorithm().name() {
            return Err(TokenError::WrongAlgorithm);
        }
        if header.get("crit").is_some() || header.get("b64").is_some() {
            return Err(TokenError::CriticalExtension);
        }
        match (header.get("typ"), kind) {
            (None, Kind::AccessToken) => Ok(key),
            (Some(Json::Text(typ)), Kind::AccessToken) if typ.eq_ignore_ascii_case("JWT") => Ok(key),
            (Some(Json::Text(typ)), Kind::Revocations) if typ == REVOCATIONS => Ok(key),
            _ => Err(TokenError::BadHeader),
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
