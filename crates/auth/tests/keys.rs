//! Key pairs: tokens signed with them, the documents that publish them, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sme_pulse_auth::token::{
    AccessClaims, Algorithm, KeyError, KeyId, KeyRing, MAX_KEYS, NewToken, Signer, SigningKey, TokenError, Verifier,
    VerifyError, VerifyingKey, token_id,
};
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    role::{Role, RoleSet},
};
use uuid::Uuid;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_700_000_000;

/// The verdict of a verifier that follows nobody: it is never undecided.
trait Judge {
    fn judge(&self, token: &str, now: i64) -> Result<AccessClaims, TokenError>;
}

impl Judge for Verifier {
    fn judge(&self, token: &str, now: i64) -> Result<AccessClaims, TokenError> {
        self.verify_at(token, now).map_err(|error| match error {
            VerifyError::Refused(refused) => refused,
            VerifyError::Undecided(_) => unreachable!("it follows nobody"),
        })
    }
}
const PAIRS: [Algorithm; 2] = [Algorithm::EdDsa, Algorithm::Es256];

fn key(algorithm: Algorithm, seed: u8) -> SigningKey {
    SigningKey::from_seed(algorithm, &[seed; 32]).unwrap()
}

fn token(signer: &Signer) -> String {
    let roles: RoleSet = [Role::Owner].into_iter().collect();
    let token = NewToken {
        user: UserId::new(7),
        org: OrgId::new(3),
        session: SessionId::new(Uuid::from_u128(1)),
        roles: &roles,
        token_id: token_id(42, [9; 16]),
        issued_at: NOW,
        expires_at: NOW + 1_800,
        methods: Methods::WITH_CODE,
        authenticated_at: NOW,
    };
    signer.sign(&token).unwrap()
}

fn signed_by(key: &SigningKey) -> String {
    token(&Signer::with_key(key, "sme-pulse", "sme-pulse-api"))
}

fn verifier(keys: impl IntoIterator<Item = VerifyingKey>) -> Verifier {
    Verifier::with_keys(KeyRing::new(keys).unwrap()).issuer("sme-pulse").audience("sme-pulse-api")
}

fn ring(document: &str) -> Result<KeyRing, KeyError> {
    KeyRing::from_jwks(document.as_bytes())
}

#[test]
fn a_token_is_verified_with_the_key_that_it_names() {
    for algorithm in PAIRS {
        let (one, other) = (key(algorithm, 1), key(algorithm, 2));
        let verifier = verifier([one.public().clone(), other.public().clone()]);
        for key in [one, other] {
            let claims = verifier.judge(&signed_by(&key), NOW).unwrap();
            assert_eq!((claims.key.as_ref(), claims.position), (Some(key.id()), 42));
            assert!(claims.roles.contains(Role::Owner) && claims.issued_at == Some(NOW));
        }
        assert_eq!(verifier.judge(&signed_by(&key(algorithm, 3)), NOW), Err(TokenError::UnknownKey));
    }
}

#[test]
fn a_shared_secret_and_key_pairs_live_side_by_side() {
    let shared = VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap();
    let verifier = verifier([shared, key(Algorithm::EdDsa, 1).public().clone()]);
    let signer = Signer::new(SECRET, Algorithm::Hs256, "sme-pulse", "sme-pulse-api");
    assert_eq!(verifier.judge(&token(&signer), NOW).unwrap().key, None);
    assert!(verifier.judge(&signed_by(&key(Algorithm::EdDsa, 1)), NOW).is_ok());
}

#[test]
fn the_key_decides_the_algorithm() {
    let public = key(Algorithm::EdDsa, 1);
    let name = public.id().as_str();
    let verifier = verifier([public.public().clone()]);
    let claims = format!(r#"{{"sub":"7","org_id":3,"exp":{}}}"#, NOW + 60);
    // The public key as if it were a shared secret (CVE-2016-5431), with and without its name.
    for header in [format!(r#"{{"alg":"HS256","kid":"{name}"}}"#), r#"{"alg":"HS256"}"#.to_owned()] {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&claims));
        let secret = jsonwebtoken::EncodingKey::from_secret(public.public().public_bytes().unwrap());
        let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
        assert_eq!(verifier.judge(&format!("{message}.{mac}"), NOW), Err(TokenError::WrongAlgorithm));
    }
    let other = key(Algorithm::Es256, 1);
    let relabelled = Signer::with_key(&other, "sme-pulse", "sme-pulse-api");
    assert_eq!(verifier.judge(&token(&relabelled), NOW), Err(TokenError::UnknownKey));
}

#[test]
fn a_key_counts_until_its_time_and_a_removed_one_no_longer_also_for_what_was_decoded_before() {
    let key = key(Algorithm::EdDsa, 1);
    let verifier = verifier([key.public().clone().until(NOW + 10)]);
    let text = signed_by(&key);
    let claims = verifier.judge(&text, NOW + 9).unwrap();
    assert_eq!(verifier.judge(&text, NOW + 10), Err(TokenError::UnknownKey));
    verifier.clone().replace_keys(KeyRing::default());
    assert_eq!(verifier.check(&claims, NOW), Err(TokenError::UnknownKey.into()));
    assert_eq!(verifier.judge(&text, NOW), Err(TokenError::UnknownKey));
}

#[test]
fn a_header_counts_for_what_it_says_and_not_for_how_it_is_spelt() {
    let shared = VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap();
    let verifier = Verifier::with_keys(KeyRing::new([shared, key(Algorithm::EdDsa, 1).public().clone()]).unwrap());
    let verify = |header: &str| {
        let claims = format!(r#"{{"sub":"7","org_id":3,"exp":{}}}"#, NOW + 60);
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let secret = jsonwebtoken::EncodingKey::from_secret(SECRET);
        let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
        verifier.judge(&format!("{message}.{mac}"), NOW).map(|claims| claims.user)
    };
    // The first is the one that is written here, and the others have to be read.
    let same = [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{ "alg": "HS256" }"#,
        r#"{"alg":"\u0048S256"}"#,
    ];
    for header in same {
        assert_eq!(verify(header), Ok(UserId::new(7)), "{header}");
    }
    let public = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{}"}}"#, key(Algorithm::EdDsa, 1).id());
    assert_eq!(verify(&public), Err(TokenError::BadSignature));
    for cut in [r#"{"alg":"HS256","typ":"JWT""#, r#"{"alg":"HS256","typ":"JWT"}}"#, r#"{"alg":"HS256","typ":"JWT"} {}"#]
    {
        assert_eq!(verify(cut), Err(TokenError::BadHeader), "{cut}");
    }
}

#[test]
fn a_public_key_for_which_anybody_can_sign_is_no_key() {
    // Points of small order: the neutral one, the one of order 2, one of order 4, and a second spelling of the first.
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut one_again = [0xff; 32];
    (one_again[0], one_again[31]) = (0xee, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    for point in [one, minus_one, [0; 32], one_again] {
        let made = VerifyingKey::ed25519(KeyId::parse("k").unwrap(), &point);
        assert_eq!(made.unwrap_err(), KeyError::BadPoint, "{point:?}");
    }
}

#[test]
fn names_that_are_no_names_are_refused_like_unknown_ones() {
    let verifier = verifier([key(Algorithm::EdDsa, 1).public().clone()]);
    let long = "a".repeat(6_000);
    for name in ["../../etc/passwd", "' OR 1=1 --", "\\u0000", "", long.as_str()] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"EdDSA","kid":"{name}"}}"#));
        assert_eq!(verifier.judge(&format!("{header}.e30.AAAA"), NOW), Err(TokenError::UnknownKey), "{name:.20}");
    }
    for header in [r#"{"alg":"EdDSA","kid":7}"#, r#"{"alg":"EdDSA","kid":null}"#, r#"{"alg":"EdDSA","kid":["a"]}"#] {
        let text = format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header));
        assert_eq!(verifier.judge(&text, NOW), Err(TokenError::UnknownKey), "{header}");
    }
}

#[test]
fn what_is_published_is_what_verifies() {
    let keys = PAIRS.map(|algorithm| key(algorithm, 5));
    let shared = VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap();
    let whole = KeyRing::new(keys.iter().map(|key| key.public().clone()).chain([shared])).unwrap();
    let document = whole.to_jwks();
    assert!(!document.contains("\"d\"") && !document.contains("\"k\"") && !document.contains("oct"), "{document}");
    let read = ring(&document).unwrap();
    assert_eq!(read.len(), 2);
    let verifier = Verifier::with_keys(read);
    for key in &keys {
        assert!(verifier.judge(&signed_by(key), NOW).is_ok());
    }
}

#[test]
fn a_document_that_nobody_in_control_would_publish_is_refused_whole() {
    let good = KeyRing::new([key(Algorithm::EdDsa, 1).public().clone()]).unwrap().to_jwks();
    let entry = good.trim_start_matches(r#"{"keys":["#).trim_end_matches("]}").to_owned();
    let with = |more: &str| entry.replacen('{', &format!("{{{more},"), 1);
    let without = |from: &str, to: &str| entry.replace(from, to);
    let x = URL_SAFE_NO_PAD.encode([1; 31]);
    let point = URL_SAFE_NO_PAD.encode([7; 32]);
    let off_curve = format!(r#"{{"kty":"EC","crv":"P-256","kid":"a","x":"{point}","y":"{point}"}}"#);
    let cases = [
        (format!("{entry},{entry}"), KeyError::Repeated),
        (
            format!(r#"{entry},{{"kty":"RSA","kid":"{}","n":"AQAB","e":"AQAB"}}"#, key(Algorithm::EdDsa, 1).id()),
            KeyError::Repeated,
        ),
        (with(r#""d":"AAAA""#), KeyError::PrivateKey),
        (format!(r#"{entry},{{"kty":"oct","k":"AAAA"}}"#), KeyError::PrivateKey),
        (with(r#""kty":"OKP""#), KeyError::NotAKeySet),
        (without(r#""alg":"EdDSA""#, r#""alg":"ES256""#), KeyError::WrongKind),
        (without(r#""kid":""#, r#""kid":"/"#), KeyError::BadName),
        (without(r#""kid""#, r#""kidd""#), KeyError::BadName),
        (without(r#""kid":""#, r#""kid":7,"z":""#), KeyError::NotAKeySet),
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{x}"}}"#), KeyError::BadPoint),
        (r#"{"kty":"OKP","crv":"Ed25519","kid":"a"}"#.to_owned(), KeyError::BadPoint),
        (off_curve, KeyError::BadPoint),
        ("7".to_owned(), KeyError::NotAKeySet),
        (vec![r#"{"kty":"x"}"#; MAX_KEYS + 1].join(","), KeyError::TooLong),
    ];
    for (entries, error) in cases {
        assert_eq!(ring(&format!(r#"{{"keys":[{entries}]}}"#)).unwrap_err(), error, "{entries:.200}");
    }
    for document in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "\u{feff}{\"keys\":[]}"] {
        assert_eq!(ring(document).unwrap_err(), KeyError::NotAKeySet, "{document}");
    }
    assert_eq!(ring(&format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(70_000))).unwrap_err(), KeyError::TooLong);
}

#[test]
fn keys_for_other_things_are_left_out() {
    let document = r#"{"keys":[{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"},{"kty":"OKP","crv":"X25519","kid":"x","x":"AAAA"},
        {"kty":"OKP","crv":"Ed25519","kid":"e","use":"enc","x":"?"},{"kty":"EC","crv":"P-256","kid":"o","key_ops":["sign"]},
        {"kty":"new"}],"more":1}"#;
    assert!(ring(document).unwrap().is_empty());
}

#[test]
fn a_ring_has_each_name_once() {
    let shared = || VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap();
    assert_eq!(KeyRing::new([shared(), shared()]).unwrap_err(), KeyError::Repeated);
    let public = || key(Algorithm::EdDsa, 1).public().clone();
    assert_eq!(KeyRing::new([public(), shared(), public()]).unwrap_err(), KeyError::Repeated);
    assert_eq!(VerifyingKey::shared_secret(SECRET, Algorithm::EdDsa).unwrap_err(), KeyError::WrongKind);
}

#[test]
fn the_name_of_a_key_is_its_thumbprint() {
    // RFC 8037 appendix A.3.
    let x = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let key = SigningKey::from_seed(Algorithm::EdDsa, &x.try_into().unwrap()).unwrap();
    assert_eq!(key.id(), &KeyId::parse("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k").unwrap());
}

#[test]
fn what_prints_a_key_prints_no_secret() {
    let shared = VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap();
    assert!(!format!("{shared:?}").contains("0123"));
    assert_eq!(shared.public_bytes(), None);
}
