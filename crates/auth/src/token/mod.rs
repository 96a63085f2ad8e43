//! Access tokens: signed JWTs (RFC 7519) in the strictest reading. Only the key decides the algorithm (RFC 8725).

mod check;
mod claims;
mod json;
mod jwks;
mod key;
pub(crate) mod message;
mod position;
#[cfg(feature = "sign")]
mod signer;
#[cfg(feature = "sign")]
mod signing_key;
mod trust;
#[cfg(test)]
mod vectors;
mod verifier;
mod verify_error;

pub use claims::AccessClaims;
pub use jwks::{MAX_KEY_SET_BYTES, MAX_KEYS};
pub use key::{KeyId, KeyRing, VerifyingKey};
#[cfg(any(feature = "sign", test))]
pub use position::token_id;
#[cfg(feature = "sign")]
pub use signer::{NewToken, Signer};
#[cfg(feature = "sign")]
pub use signing_key::{SEED_BYTES, SigningKey};
pub(crate) use trust::Trust;
#[cfg(feature = "remote")]
pub(crate) use trust::{FeedView, Heard, Moment, Told};
pub use verifier::{MAX_TOKEN_BYTES, Verifier};
pub use verify_error::{Undecided, VerifyError};

/// What a key is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 section 3.2): a shared secret.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// Ed25519 (RFC 8037): a key pair.
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4): a key pair.
    Es256,
}

impl Algorithm {
    /// The name in a token's header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm with this name, in its one spelling.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Hs256, Self::Hs384, Self::Hs512, Self::EdDsa, Self::Es256].into_iter().find(|known| known.name() == name)
    }

    /// Whether who checks a token could also have made it.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    #[cfg(feature = "sign")]
    const fn implementation(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::Hs384 => jsonwebtoken::Algorithm::HS384,
            Self::Hs512 => jsonwebtoken::Algorithm::HS512,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
        }
    }
}

/// Why a key or a set of keys cannot be used. None of them tells a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// More than [`MAX_KEY_SET_BYTES`] or [`MAX_KEYS`].
    #[error("the key set is too long")]
    TooLong,
    /// No JSON object with a list `keys`, a repeated member, or a member of the wrong type.
    #[error("this is not a key set")]
    NotAKeySet,
    /// A private or shared key where only public ones belong.
    #[error("the key set holds a private key")]
    PrivateKey,
    /// Two keys have one name, or two have none.
    #[error("two keys have the same name")]
    Repeated,
    /// A `kid` is missing or not 1 to 64 letters, digits, `-` and `_`.
    #[error("the key has no usable name")]
    BadName,
    /// The key is not one of its algorithm's.
    #[error("the key is not for this algorithm")]
    WrongKind,
    /// The numbers of a key are missing or no point of its curve.
    #[error("the key is no point of its curve")]
    BadPoint,
    /// The bytes of a private key make none.
    #[error("these bytes make no private key")]
    BadSeed,
}

/// Why a token was refused. The text goes to the log; clients see one answer for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// More than 8 KiB.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of strict, unpadded base64url (RFC 7515 section 2).
    #[error("the token is not three parts of unpadded base64url")]
    Malformed,
    /// The header is no JSON object, repeats a member, or has a type that is not JWT.
    #[error("the token's header is not valid")]
    BadHeader,
    /// The header names another algorithm than the key's.
    #[error("the token's algorithm is not the key's")]
    WrongAlgorithm,
    /// The header names a key (`kid`) that is not among those that count, or counts no longer.
    #[error("the token names a key that is not configured")]
    UnknownKey,
    /// The header has critical extensions (RFC 7515 section 4.1.11); none are understood.
    #[error("the token demands an extension")]
    CriticalExtension,
    /// The signature does not match.
    #[error("the token's signature does not match")]
    BadSignature,
    /// A claim is missing, repeated or of the wrong type.
    #[error("the token's claim {0} is missing or not valid")]
    BadClaim(&'static str),
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` lies ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is another issuer.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// `aud` is another audience.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Genuine, and taken back by the issuer: its session, user, membership or organization.
    #[error("the token has been revoked")]
    Revoked,
}

/// The secret cannot be used to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token could not be signed")]
pub struct SigningError;
