//! Private keys of a key set: made from 32 random bytes, named by their public half.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::EncodingKey;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use sha2::{Digest as _, Sha256};
use sme_pulse_domain::rng::Rng;
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, KeyId, VerifyingKey};

/// Bytes of the secret that a private key is made from: an Ed25519 seed (RFC 8032 section 5.1.5) or a P-256 scalar.
pub const SEED_BYTES: usize = 32;

/// How often a random number is tried; one in 2^32 is no scalar of P-256.
const TRIES: usize = 8;

/// A private key with its name. There is no `Debug`, and the secret is wiped when it is dropped.
#[derive(Clone)]
pub struct SigningKey {
    seed: Zeroizing<[u8; SEED_BYTES]>,
    der: Zeroizing<Vec<u8>>,
    public: VerifyingKey,
    id: KeyId,
}

impl SigningKey {
    /// A new key. Its name is the thumbprint of its public half (RFC 7638), so that no two keys can have one name.
    pub fn generate(algorithm: Algorithm, rng: &dyn Rng) -> Result<Self, KeyError> {
        for _ in 0..TRIES {
            let mut seed = Zeroizing::new([0; SEED_BYTES]);
            rng.fill(seed.as_mut_slice());
            match Self::from_seed(algorithm, &seed) {
                Err(KeyError::BadSeed) => {}
                made => return made,
            }
        }
        Err(KeyError::BadSeed)
    }

    /// The key that these bytes make.
    pub fn from_seed(algorithm: Algorithm, seed: &[u8; SEED_BYTES]) -> Result<Self, KeyError> {
        let (der, (id, public)) = match algorithm {
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(seed);
                let der = key.to_pkcs8_der().map_err(|_| KeyError::BadSeed)?.to_bytes();
                (der, ed25519(key.verifying_key().as_bytes())?)
            }
            Algorithm::Es256 => {
                let key = p256::SecretKey::from_slice(seed).map_err(|_| KeyError::BadSeed)?;
                let der = key.to_pkcs8_der().map_err(|_| KeyError::BadSeed)?.to_bytes();
                let point = key.public_key().to_encoded_point(false);
                let (x, y) = point.x().zip(point.y()).ok_or(KeyError::BadSeed)?;
                (der, p256(x, y)?)
            }
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return Err(KeyError::WrongKind),
        };
        Ok(Self { seed: Zeroizing::new(*seed), der, public, id })
    }

    /// Its name.
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// What it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Its public half, under the same name.
    pub const fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// The secret, to be kept sealed.
    pub fn seed(&self) -> &[u8; SEED_BYTES] {
        &self.seed
    }

    pub(super) fn encoding(&self) -> EncodingKey {
        match self.algorithm() {
            Algorithm::Es256 => EncodingKey::from_ec_der(&self.der),
            _ => EncodingKey::from_ed_der(&self.der),
        }
    }
}

fn ed25519(x: &[u8]) -> Result<(KeyId, VerifyingKey), KeyError> {
    let id = thumbprint(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(x)))?;
    Ok((id.clone(), VerifyingKey::ed25519(id, x)?))
}

pub(super) fn p256(x: &[u8], y: &[u8]) -> Result<(KeyId, VerifyingKey), KeyError> {
    let (x64, y64) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let id = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x64}","y":"{y64}"}}"#))?;
    Ok((id.clone(), VerifyingKey::p256(id, x, y)?))
}

/// RFC 7638 section 3: the SHA-256 of the required members in this order, in base64url.
pub(super) fn thumbprint(canonical: &str) -> Result<KeyId, KeyError> {
    KeyId::parse(&URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))).ok_or(KeyError::BadName)
}
