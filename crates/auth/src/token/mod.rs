//! Access tokens: signed JWTs (RFC 7519) in the strictest reading. Only the key decides the algorithm (RFC 8725).

mod claims;
mod json;
mod signer;
mod verifier;

pub use claims::AccessClaims;
pub use signer::{NewToken, Signer};
pub use verifier::{MAX_TOKEN_BYTES, Verifier};

/// The HMAC algorithms a shared secret can be used with (RFC 7518 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// The name in a token's header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    const fn implementation(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::Hs384 => jsonwebtoken::Algorithm::HS384,
            Self::Hs512 => jsonwebtoken::Algorithm::HS512,
        }
    }
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
    /// The header names a key (`kid`); the one shared secret has no name.
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
}

/// The secret cannot be used to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token could not be signed")]
pub struct SigningError;
