//! The arithmetic of signatures: keys in the form that their algorithm computes with, made ready once and not for every token.

use ed25519_dalek::Verifier as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Sha256, Sha384, Sha512};

use super::{Algorithm, KeyError};

/// What computes with a key. There is no way to read a secret back.
#[derive(Clone)]
pub(super) enum Check {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
    Ed25519(ed25519_dalek::VerifyingKey),
    /// With its coordinates, one after the other.
    P256(p256::ecdsa::VerifyingKey, [u8; 64]),
}

impl Check {
    pub(super) fn shared_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let made = match algorithm {
            Algorithm::Hs256 => Hmac::new_from_slice(secret).map(Self::Hs256),
            Algorithm::Hs384 => Hmac::new_from_slice(secret).map(Self::Hs384),
            Algorithm::Hs512 => Hmac::new_from_slice(secret).map(Self::Hs512),
            Algorithm::EdDsa | Algorithm::Es256 => return Err(KeyError::WrongKind),
        };
        made.map_err(|_| KeyError::WrongKind)
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
            Self::Hs256(key) => key.clone().chain_update(message).verify_slice(signature).is_ok(),
            Self::Hs384(key) => key.clone().chain_update(message).verify_slice(signature).is_ok(),
            Self::Hs512(key) => key.clone().chain_update(message).verify_slice(signature).is_ok(),
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
}
