//! Tokens beside key pairs: the first byte chooses what signs, the first line is the header, the rest the claims. A key counts under its
//! own name and algorithm alone, and a public key is never a secret.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey as EdKey};
use jsonwebtoken::{Algorithm as Jwa, EncodingKey, crypto::sign};
use libfuzzer_sys::fuzz_target;
use sme_pulse_auth::token::{Algorithm, KeyRing, SigningKey, Verifier, VerifyingKey};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_700_000_000;
const SEED: [u8; 32] = [1; 32];

static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
    [Algorithm::EdDsa, Algorithm::Es256].map(|algorithm| SigningKey::from_seed(algorithm, &SEED).expect("a key"))
});
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let shared = VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).expect("a secret");
    let keys = KEYS.iter().map(|key| key.public().clone()).chain([shared]);
    Verifier::with_keys(KeyRing::new(keys).expect("three names")).issuer("sme-pulse").audience("sme-pulse-api")
});

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else { return };
    let (header, claims) = data.iter().position(|byte| *byte == b'\n').map_or((data, &b""[..]), |at| data.split_at(at));
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mac = |secret: &[u8]| sign(message.as_bytes(), &EncodingKey::from_secret(secret), Jwa::HS256).expect("a MAC");
    let [pair, other] = &*KEYS;
    let (signature, id, algorithm) = match how % 4 {
        0 => {
            let signature = EdKey::from_bytes(&SEED).sign(message.as_bytes()).to_bytes();
            (URL_SAFE_NO_PAD.encode(signature), Some(pair.id()), "EdDSA")
        }
        1 => (mac(SECRET), None, "HS256"),
        public => {
            let key = if public == 2 { pair } else { other };
            (mac(key.public().public_bytes().expect("a public key")), Some(key.id()), "")
        }
    };
    let Ok(accepted) = VERIFIER.verify_at(&format!("{message}.{signature}"), NOW) else { return };
    let said: serde_json::Value = serde_json::from_slice(header).expect("an accepted header is JSON");
    assert_eq!(said["alg"].as_str(), Some(algorithm));
    assert_eq!(said.get("kid").map(|kid| kid.as_str().expect("a name")), id.map(|id| id.as_str()));
    assert_eq!(accepted.key.as_ref(), id);
});
