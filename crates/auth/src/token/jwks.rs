//! Key sets as documents (RFC 7517): read strictly, written with public members alone.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{
    Algorithm, KeyError, KeyId, KeyRing, VerifyingKey,
    json::{Json, Object},
};

/// Longest accepted key set in bytes.
pub const MAX_KEY_SET_BYTES: usize = 64 * 1024;
/// Most keys of a set: more than an issuer publishes that rotates by hand all day.
pub const MAX_KEYS: usize = 256;

/// Members that only a private or shared key has (RFC 7518 section 6, RFC 8037 section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl KeyRing {
    /// The signature keys of a published set. Keys of a type, curve or use that is not ours are left out (RFC 7517 section 5); a
    /// key that claims to be ours and is not well formed, a name that stands twice, and a private key spoil the whole
    /// set: whoever published it has lost control of it.
    pub fn from_jwks(document: &[u8]) -> Result<Self, KeyError> {
        if document.len() > MAX_KEY_SET_BYTES {
            return Err(KeyError::TooLong);
        }
        let set = Object::parse(document).ok_or(KeyError::NotAKeySet)?;
        let Some(Json::List(entries)) = set.get("keys") else { return Err(KeyError::NotAKeySet) };
        if entries.len() > MAX_KEYS {
            return Err(KeyError::TooLong);
        }
        let mut names: Vec<&str> = Vec::new();
        let mut keys = Vec::new();
        for entry in entries {
            let Json::Object(entry) = entry else { return Err(KeyError::NotAKeySet) };
            if PRIVATE.iter().any(|member| entry.get(member).is_some()) {
                return Err(KeyError::PrivateKey);
            }
            if let Some(name) = text(entry, "kid")? {
                if names.contains(&name) {
                    return Err(KeyError::Repeated);
                }
                names.push(name);
            }
            keys.extend(public_key(entry)?);
        }
        Self::new(keys)
    }

    /// The public keys as a key set; a shared secret is not among them.
    pub fn to_jwks(&self) -> String {
        let keys = self.iter().filter_map(Jwk::of).collect();
        // Strings cannot fail to serialize.
        serde_json::to_string(&Jwks { keys }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Jwks<'a> {
    keys: Vec<Jwk<'a>>,
}

#[derive(Serialize)]
struct Jwk<'a> {
    kty: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    kid: &'a str,
    crv: &'static str,
    x: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

impl<'a> Jwk<'a> {
    fn of(key: &'a VerifyingKey) -> Option<Self> {
        let (kty, crv) = match key.algorithm() {
            Algorithm::EdDsa => ("OKP", "Ed25519"),
            Algorithm::Es256 => ("EC", "P-256"),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return None,
        };
        let (x, y) = key.public_bytes()?.split_at_checked(32)?;
        let y = (!y.is_empty()).then(|| URL_SAFE_NO_PAD.encode(y));
        let kid = key.id()?.as_str();
        Some(Self { kty, purpose: "sig", alg: key.algorithm().name(), kid, crv, x: URL_SAFE_NO_PAD.encode(x), y })
    }
}

/// `None` for a key that is for something else.
fn public_key(entry: &Object<'_>) -> Result<Option<VerifyingKey>, KeyError> {
    let algorithm = match (text(entry, "kty")?, text(entry, "crv")?) {
        (Some("OKP"), Some("Ed25519")) => Algorithm::EdDsa,
        (Some("EC"), Some("P-256")) => Algorithm::Es256,
        _ => return Ok(None),
    };
    if text(entry, "use")?.is_some_and(|purpose| purpose != "sig") || !may_verify(entry)? {
        return Ok(None);
    }
    // RFC 9864 names the curve; both spellings mean the same key.
    let named = text(entry, "alg")?;
    if named.is_some_and(|name| name != algorithm.name() && !(name == "Ed25519" && algorithm == Algorithm::EdDsa)) {
        return Err(KeyError::WrongKind);
    }
    let id = text(entry, "kid")?.and_then(KeyId::parse).ok_or(KeyError::BadName)?;
    let x = bytes(entry, "x")?;
    match algorithm {
        Algorithm::EdDsa => VerifyingKey::ed25519(id, &x),
        _ => VerifyingKey::p256(id, &x, &bytes(entry, "y")?),
    }
    .map(Some)
}

/// `key_ops` (RFC 7517 section 4.3), when there.
fn may_verify(entry: &Object<'_>) -> Result<bool, KeyError> {
    match entry.get("key_ops") {
        None => Ok(true),
        Some(Json::List(operations)) => Ok(operations.contains(&Json::Text("verify".into()))),
        Some(_) => Err(KeyError::NotAKeySet),
    }
}

fn text<'a>(entry: &'a Object<'_>, name: &str) -> Result<Option<&'a str>, KeyError> {
    match entry.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::NotAKeySet),
    }
}

fn bytes(entry: &Object<'_>, name: &str) -> Result<Vec<u8>, KeyError> {
    let text = text(entry, name)?.ok_or(KeyError::BadPoint)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::BadPoint)
}
