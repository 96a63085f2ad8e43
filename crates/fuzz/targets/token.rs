//! Tokens: any text is refused, unless it is signed with the key; whatever is signed is decoded without a panic, and
//! what is accepted has the claims that its JSON says.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm as Jwa, EncodingKey, crypto::sign};
use libfuzzer_sys::fuzz_target;
use sme_pulse_auth::token::{Algorithm, Verifier};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_700_000_000;

static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new(SECRET, Algorithm::Hs256).issuer("sme-pulse").audience("sme-pulse-api"));

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(VERIFIER.verify_at(text, NOW).is_err());
    }
    // The first line is the header, the rest the claims; signed, so that everything behind the signature is reached.
    let (header, claims) = data.iter().position(|byte| *byte == b'\n').map_or((data, &b""[..]), |at| data.split_at(at));
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let Ok(signature) = sign(message.as_bytes(), &EncodingKey::from_secret(SECRET), Jwa::HS256) else { return };
    if let Ok(accepted) = VERIFIER.verify_at(&format!("{message}.{signature}"), NOW) {
        let said: serde_json::Value = serde_json::from_slice(claims).expect("accepted claims are JSON");
        assert_eq!(said["sub"].as_str(), Some(accepted.user.to_string().as_str()));
        assert_eq!(said["org_id"].as_i64(), Some(accepted.org.get()));
        assert!(said["exp"].as_f64().is_some_and(|exp| exp > 1_699_999_994.0));
    }
});
