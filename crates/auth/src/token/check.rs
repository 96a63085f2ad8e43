//! The arithmetic of signatures: keys in the form that their algorithm computes with, made ready once and not for every token.

use std::sync::Arc;

use ed25519_dalek::Verifier as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Sha256, Sha384, Sha512};

use super::{Algorithm, KeyError};

/// What computes with a key. There is no way to read a secret back.
#[derive(Clone)]
pub(super) enum Check {
    Hs256(Arc<Secret>),
    Hs384(Arc<Secret>),
    Hs512(Arc<Secret>),
    Ed25519(ed25519_dalek::VerifyingKey),
    /// With its coordinates, one after the other.
    P256(p256::ecdsa::VerifyingKey, [u8; 64]),
}

/// A shared secret, ready for each of its hashes: an installation may go over from one to another.
pub(super) struct Secret {
    sha256: Hmac<Sha256>,
    sha384: Hmac<Sha384>,
    sha512: Hmac<Sha512>,
}

impl Secret {
    fn new(secret: &[u8]) -> Result<Self, KeyError> {
        let unfit = |_| KeyError::WrongKind;
        Ok(Self {
            sha256: Hmac::new_from_slice(secret).map_err(unfit)?,
            sha384: Hmac::new_from_slice(secret).map_err(unfit)?,
            sha512: Hmac::new_from_slice(secret).map_err(unfit)?,
        })
    }
}

impl Check {
    pub(super) fn shared_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::with_hash(Arc::new(Secret::new(secret)?), algorithm).ok_or(KeyError::WrongKind)
    }

    fn with_hash(secret: Arc<Secret>, algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Hs256 => Some(Self::Hs256(secret)),
            Algorithm::Hs384 => Some(Self::Hs384(secret)),
            Algorithm::Hs512 => Some(Self::Hs512(secret)),
            Algorithm::EdDsa | Algorithm::Es256 => None,
        }
    }

    /// The same secret with another hash; `None` for a public key, and where the algorithm has no secret.
    #[cfg(feature = "service")]
    pub(super) fn used_with(&self, algorithm: Algorithm) -> Option<Self> {
        match self {
            Self::Hs256(secret) | Self::Hs384(secret) | Self::Hs512(secret) => {
                Self::with_hash(Arc::clone(secret), algorithm)
            }
            Self::Ed25519(_) | Self::P256(..) => None,
        }
    }

    /// Refuses the few points for which a signature of every message can be made up (RFC 8032 section 8.4 leaves that to the user).
    pub(super) fn ed25519(x: &[u8]) -> Result<Self, KeyError> {
        let x: &[u8; 32] = x.try_into().map_err(|_| KeyError::BadPoint)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(x).map_err(|_| KeyError::BadPoint)?;
        if key.is_weak() { Err(KeyError::BadPoint) } else { Ok(Self::Ed25519(key)) }
    }

    pub(super) fn p256(x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        if x.len() != 32 || y.len() != 32 {
            return Err(KeyError::BadPoint);
        }
        let point: [u8; 64] = [x, y].concat().try_into().map_err(|_| KeyError::BadPoint)?;
        // Uncompressed, SEC 1 section 2.3.3.
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&[&[4], point.as_slice()].concat());
        Ok(Self::P256(key.map_err(|_| KeyError::BadPoint)?, point))
    }

    pub(super) fn public_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Ed25519(key) => Some(key.as_bytes()),
            Self::P256(_, point) => Some(point),
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => None,
        }
    }

    /// In constant time for secrets; a signature of another length belongs to no message.
    pub(super) fn is_genuine(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(secret) => secret.sha256.clone().chain_update(message).verify_slice(signature).is_ok(),
            Self::Hs384(secret) => secret.sha384.clone().chain_update(message).verify_slice(signature).is_ok(),
            Self::Hs512(secret) => secret.sha512.clone().chain_update(message).verify_slice(signature).is_ok(),
            Self::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            Self::P256(key, _) => {
                let signature = p256::ecdsa::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
        }
    }

    /// Whether a genuine signature is the one spelling that is accepted: of the two that ECDSA has for every message, the one with the
    /// lower half (SEC 1 section 4.1.4 takes both). All others have one.
    pub(super) fn is_canonical(&self, signature: &[u8]) -> bool {
        match self {
            Self::P256(..) => with_lower_half(signature).is_some_and(|canonical| canonical == *signature),
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) | Self::Ed25519(_) => true,
        }
    }
}

/// The spelling of an ECDSA signature that counts; `None` for what is no signature.
pub(super) fn with_lower_half(signature: &[u8]) -> Option<Vec<u8>> {
    let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
    Some(signature.normalize_s().unwrap_or(signature).to_bytes().to_vec())
}
