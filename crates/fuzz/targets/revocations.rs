//! Revocation messages: any text is refused, unless it is signed; whatever is signed is read without a panic, and what is accepted
//! contradicts itself nowhere and reads back the same.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm as Jwa, EncodingKey, crypto::sign};
use libfuzzer_sys::fuzz_target;
use sme_pulse_auth::{
    revocation::Revocations,
    token::{Algorithm, KeyRing, Signer, VerifyingKey},
};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const ISSUER: &str = "sme-pulse";
const NOW: i64 = 1_700_000_000;

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| {
    KeyRing::new(VerifyingKey::shared_secret(SECRET, Algorithm::Hs256)).expect("one key")
});
static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new(SECRET, Algorithm::Hs256, ISSUER, "sme-pulse-api"));

fn open(text: &str) -> Option<Revocations> {
    Revocations::open(text, &KEYS, ISSUER, NOW).ok()
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mac = sign(message.as_bytes(), &EncodingKey::from_secret(SECRET), Jwa::HS256).expect("a MAC");
    format!("{message}.{mac}")
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(open(text).is_none());
    }
    assert!(open(&signed(br#"{"alg":"HS256","typ":"JWT"}"#, data)).is_none());
    let Some(message) = open(&signed(br#"{"alg":"HS256","typ":"revocations+jwt"}"#, data)) else { return };
    assert_eq!(message.issuer, ISSUER);
    assert!(message.only.is_none_or(|org| org.get() > 0));
    let numbers: Vec<u64> = message.entries.iter().map(|entry| entry.seq).collect();
    let all = [vec![message.after], numbers.clone()].concat();
    assert!(all.windows(2).all(|two| two[0] < two[1]) && all.iter().all(|number| *number <= message.seq));
    assert_eq!(open(&message.seal(&SIGNER).expect("it can be signed")).as_ref(), Some(&message));
});
