//! The attacks that Wycheproof's set for JWS tries, against each kind of key that there is, with keys of our own.
#![cfg(feature = "sign")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::ring;
use crate::token::{
    Algorithm, KeyRing, Signer, SigningKey, TokenError,
    TokenError::{BadSignature, Malformed, UnknownKey, WrongAlgorithm},
    VerifyingKey,
    check::with_lower_half,
    message::Kind,
};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const PAIRS: [Algorithm; 2] = [Algorithm::EdDsa, Algorithm::Es256];

fn pair(algorithm: Algorithm, seed: u8) -> SigningKey {
    SigningKey::from_seed(algorithm, &[seed; 32]).unwrap()
}

/// A key of each kind and a token that it has signed.
fn victims() -> Vec<(VerifyingKey, String)> {
    let shared = VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap();
    let signed = |signer: Signer| signer.sign_as_token(br#"{"foo":1}"#).unwrap();
    let mut victims = vec![(shared, signed(Signer::new(SECRET, Algorithm::Hs256, "", "")))];
    for key in PAIRS.map(|algorithm| pair(algorithm, 1)) {
        victims.push((key.public().clone(), signed(Signer::with_key(&key, "", ""))));
    }
    victims
}

fn refusal(keys: &KeyRing, token: &str) -> Option<TokenError> {
    keys.open(token, Kind::AccessToken).err()
}

fn encoded(header: &str) -> String {
    URL_SAFE_NO_PAD.encode(header)
}

fn signed_with_secret(header: &str, secret: &[u8]) -> String {
    let message = format!("{}.{}", encoded(header), encoded("{}"));
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    format!("{message}.{mac}")
}

#[test]
fn what_is_changed_or_taken_away_is_noticed() {
    for (key, token) in victims() {
        let keys = ring([key.clone()]);
        assert_eq!(refusal(&keys, &token), None);
        let [header, payload, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let changed = format!("{other}{}", &signature[1..]);
        let id = key.id().map(|id| format!(r#","kid":"{id}""#)).unwrap_or_default();
        let reworded = encoded(&format!(r#"{{"alg":"{}"{id}}}"#, key.algorithm().name()));
        let elsewhere = encoded(&format!(r#"{{"alg":"{}","kid":"X"}}"#, key.algorithm().name()));
        let none = encoded(&format!(r#"{{"alg":"none"{id}}}"#));
        for (case, text, error) in [
            ("another signature", format!("{header}.{payload}.{changed}"), BadSignature),
            ("no signature", format!("{header}.{payload}."), Malformed),
            ("no signature nor separator", format!("{header}.{payload}"), Malformed),
            ("a shorter signature", format!("{header}.{payload}.{}", &signature[4..]), BadSignature),
            ("a longer signature", format!("{header}.{payload}.AAAA{signature}"), BadSignature),
            ("another payload", format!("{header}.e30.{signature}"), BadSignature),
            ("no payload", format!("{header}..{signature}"), Malformed),
            ("no payload nor separator", format!("{header}.{signature}"), Malformed),
            ("another header", format!("{reworded}.{payload}.{signature}"), BadSignature),
            ("another key's name", format!("{elsewhere}.{payload}.{signature}"), UnknownKey),
            ("no header", format!(".{payload}.{signature}"), Malformed),
            ("no header nor separator", format!("{payload}.{signature}"), Malformed),
            ("the payload alone", format!(".{payload}."), Malformed),
            ("the payload without separators", payload.to_owned(), Malformed),
            ("nothing", String::new(), Malformed),
            ("an empty part more", format!("{token}."), Malformed),
            ("a part more", format!("{token}.foo"), Malformed),
            ("no algorithm, no signature", format!("{none}.{payload}."), Malformed),
            ("no algorithm", format!("{none}.{payload}.{signature}"), WrongAlgorithm),
        ] {
            assert_eq!(refusal(&keys, &text), Some(error), "{case}, {:?}", key.algorithm());
        }
    }
}

#[test]
fn a_public_key_is_no_secret_in_any_of_its_forms() {
    for algorithm in PAIRS {
        let key = pair(algorithm, 1);
        let point = key.public().public_bytes().unwrap().to_vec();
        let document = ring([key.public().clone()]).to_jwks();
        let forms = [
            point.clone(),
            [&[4], point.as_slice()].concat(),
            URL_SAFE_NO_PAD.encode(&point).into_bytes(),
            document.into_bytes(),
            Vec::new(),
        ];
        // Beside a shared secret as well, which is the ring of a change to key pairs.
        let shared = VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap();
        let rings = [ring([key.public().clone()]), ring([key.public().clone(), shared])];
        for secret in forms {
            let named = signed_with_secret(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, key.id()), &secret);
            let nameless = signed_with_secret(r#"{"alg":"HS256"}"#, &secret);
            assert_eq!(
                rings.each_ref().map(|keys| refusal(keys, &named)),
                [Some(WrongAlgorithm), Some(WrongAlgorithm)]
            );
            assert_eq!(
                rings.each_ref().map(|keys| refusal(keys, &nameless)),
                [Some(WrongAlgorithm), Some(BadSignature)]
            );
        }
    }
}

#[test]
fn a_key_that_a_token_brings_along_is_not_looked_at() {
    for algorithm in PAIRS {
        let (ours, theirs) = (pair(algorithm, 1), pair(algorithm, 2));
        let keys = ring([ours.public().clone()]);
        let document = ring([theirs.public().clone()]).to_jwks();
        let jwk = document.trim_start_matches(r#"{"keys":["#).trim_end_matches("]}");
        let name = ours.id();
        for member in [
            format!(r#""jwk":{jwk}"#),
            format!(r#""jwk":{}"#, jwk.replace(theirs.id().as_str(), name.as_str())),
            r#""jku":"https://keys.example/set""#.to_owned(),
            r#""x5u":"https://keys.example/chain""#.to_owned(),
            r#""x5c":["AAAA"]"#.to_owned(),
        ] {
            let header = format!(r#"{{"alg":"{}","kid":"{name}",{member}}}"#, algorithm.name());
            let message = format!("{}.{}", encoded(&header), encoded("{}"));
            let factory = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.signer_factory;
            let sign = |key: &SigningKey| {
                let signer = factory(&algorithm.implementation(), &key.encoding()).unwrap();
                let signature = signer.try_sign(message.as_bytes()).unwrap();
                let is_ecdsa = algorithm == Algorithm::Es256;
                URL_SAFE_NO_PAD.encode(if is_ecdsa { with_lower_half(&signature).unwrap() } else { signature })
            };
            assert_eq!(refusal(&keys, &format!("{message}.{}", sign(&theirs))), Some(BadSignature), "{member}");
            assert_eq!(refusal(&keys, &format!("{message}.{}", sign(&ours))), None, "{member}");
        }
    }
}

#[test]
fn a_key_signs_with_its_own_algorithm_alone() {
    for (key, token) in victims() {
        let keys = ring([key.clone()]);
        let (_, rest) = token.split_once('.').unwrap();
        let id = key.id().map(|id| format!(r#","kid":"{id}""#)).unwrap_or_default();
        let all = [
            "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES256K",
            "ES384", "ES512", "EdDSA", "Ed25519", "Ed448", "none", "dir", "A128KW",
        ];
        for other in all.into_iter().filter(|name| *name != key.algorithm().name()) {
            let header = encoded(&format!(r#"{{"alg":"{other}"{id}}}"#));
            assert_eq!(refusal(&keys, &format!("{header}.{rest}")), Some(WrongAlgorithm), "{other}");
        }
    }
}

/// `(r, s)` and `(r, n - s)` are both signatures of a message; of a token there is one text.
#[test]
fn an_ecdsa_signature_has_one_spelling() {
    // The order of the group of P-256 (SEC 2 section 2.4.2), in four parts.
    const N: [u64; 4] = [0xFFFF_FFFF_0000_0000, 0xFFFF_FFFF_FFFF_FFFF, 0xBCE6_FAAD_A717_9E84, 0xF3B9_CAC2_FC63_2551];
    let key = pair(Algorithm::Es256, 1);
    let (keys, signer) = (ring([key.public().clone()]), Signer::with_key(&key, "", ""));
    for number in 0..64 {
        let token = signer.sign_as_token(format!(r#"{{"foo":{number}}}"#).as_bytes()).unwrap();
        assert_eq!(refusal(&keys, &token), None);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let mut borrow = false;
        for (part, n) in N.iter().enumerate().rev() {
            let place = 32 + part * 8..40 + part * 8;
            let s = u64::from_be_bytes(signature[place.clone()].try_into().unwrap());
            let (difference, first) = n.overflowing_sub(s);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            borrow = first || second;
            signature[place].copy_from_slice(&difference.to_be_bytes());
        }
        assert!(key.public().is_genuine(message.as_bytes(), &signature), "the arithmetic of this test");
        let twin = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature));
        assert_eq!(refusal(&keys, &twin), Some(BadSignature));
    }
}
