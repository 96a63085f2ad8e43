//! What the verifier refuses: forged, cut, duplicated, oversized and wrongly typed tokens.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use sme_pulse_auth::token::{AccessClaims, Algorithm, NewToken, Signer, TokenError, Verifier, VerifyError};
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

fn verifier() -> Verifier {
    Verifier::new(SECRET, Algorithm::Hs256).issuer("sme-pulse").audience("sme-pulse-api").leeway_seconds(5)
}

fn genuine() -> String {
    let roles: RoleSet = [Role::Owner].into_iter().collect();
    let token = NewToken {
        user: UserId::new(7),
        org: OrgId::new(3),
        session: SessionId::new(Uuid::from_u128(1)),
        roles: &roles,
        token_id: Uuid::from_u128(2),
        issued_at: NOW,
        expires_at: NOW + 1_800,
        methods: Methods::WITH_CODE,
        authenticated_at: NOW - 60,
    };
    Signer::new(SECRET, Algorithm::Hs256, "sme-pulse", "sme-pulse-api").sign(&token).unwrap()
}

/// Signs whatever it is given, so that what follows the signature check is reached.
fn signed(header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn with_header(header: &str) -> Option<TokenError> {
    let claims = format!(r#"{{"sub":"7","org_id":3,"exp":{}}}"#, NOW + 60);
    verifier().judge(&signed(header.as_bytes(), claims.as_bytes()), NOW).err()
}

fn with_claims(claims: &str) -> Option<TokenError> {
    verifier().judge(&signed(br#"{"alg":"HS256","typ":"JWT"}"#, claims.as_bytes()), NOW).err()
}

#[test]
fn a_genuine_token_is_accepted_and_says_what_was_signed() {
    let claims = verifier().judge(&genuine(), NOW).unwrap();
    assert_eq!((claims.user, claims.org), (UserId::new(7), OrgId::new(3)));
    assert_eq!(claims.session, Some(SessionId::new(Uuid::from_u128(1))));
    assert_eq!((claims.methods.join(" ").as_str(), claims.auth_time), ("pwd otp mfa", Some(NOW - 60)));
}

#[test]
fn only_the_keys_algorithm_is_accepted() {
    for alg in ["none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", ""] {
        assert_eq!(with_header(&format!(r#"{{"alg":"{alg}"}}"#)), Some(TokenError::WrongAlgorithm), "{alg}");
    }
    for header in ["{}", r#"{"alg":null}"#, r#"{"alg":["HS256"]}"#, r#"{"alg":1}"#] {
        assert_eq!(with_header(header), Some(TokenError::WrongAlgorithm), "{header}");
    }
}

#[test]
fn a_key_in_the_header_is_ignored_and_the_name_of_one_is_refused() {
    for member in [r#""jku":"https://x.example/k""#, r#""jwk":{"kty":"oct","k":"AA"}"#, r#""x5c":["AA"]"#] {
        assert_eq!(with_header(&format!(r#"{{"alg":"HS256",{member}}}"#)), None, "{member}");
    }
    for name in [r#""""#, r#""../../etc/passwd""#, r#""' OR 1=1 --""#, r#""\u0000""#, "null", "7"] {
        let refused = with_header(&format!(r#"{{"alg":"HS256","kid":{name}}}"#));
        assert_eq!(refused, Some(TokenError::UnknownKey), "{name}");
    }
}

#[test]
fn extensions_and_odd_headers_are_refused() {
    for member in [r#""crit":[]"#, r#""crit":["exp"]"#, r#""crit":"b64""#, r#""b64":false"#, r#""crit":null"#] {
        let refused = with_header(&format!(r#"{{"alg":"HS256",{member}}}"#));
        assert_eq!(refused, Some(TokenError::CriticalExtension), "{member}");
    }
    for header in
        ["[]", "null", "\"HS256\"", "", "{", r#"{"alg":"HS256","alg":"HS256"}"#, "{\"alg\":\"HS256\",\"x\":\"\u{1}\"}"]
    {
        assert_eq!(
            with_header(header),
            Some(if header.is_empty() { TokenError::Malformed } else { TokenError::BadHeader }),
            "{header}"
        );
    }
    assert_eq!(with_header(r#"{"alg":"HS256","typ":"at+jwt"}"#), Some(TokenError::BadHeader));
}

#[test]
fn a_claim_that_is_missing_or_of_the_wrong_type_is_refused() {
    let exp = NOW + 60;
    for (claims, refusal) in [
        (format!(r#"{{"org_id":3,"exp":{exp}}}"#), TokenError::BadClaim("sub")),
        (format!(r#"{{"sub":7,"org_id":3,"exp":{exp}}}"#), TokenError::BadClaim("sub")),
        (format!(r#"{{"sub":"07","org_id":3,"exp":{exp}}}"#), TokenError::BadClaim("sub")),
        (format!(r#"{{"sub":"+7","org_id":3,"exp":{exp}}}"#), TokenError::BadClaim("sub")),
        (format!(r#"{{"sub":"9223372036854775808","org_id":3,"exp":{exp}}}"#), TokenError::BadClaim("sub")),
        (format!(r#"{{"sub":"7","exp":{exp}}}"#), TokenError::BadClaim("org_id")),
        (format!(r#"{{"sub":"7","org_id":"3","exp":{exp}}}"#), TokenError::BadClaim("org_id")),
        (format!(r#"{{"sub":"7","org_id":3.0,"exp":{exp}}}"#), TokenError::BadClaim("org_id")),
        (r#"{"sub":"7","org_id":3}"#.into(), TokenError::BadClaim("exp")),
        (r#"{"sub":"7","org_id":3,"exp":"9999999999"}"#.into(), TokenError::BadClaim("exp")),
        (r#"{"sub":"7","org_id":3,"exp":null}"#.into(), TokenError::BadClaim("exp")),
        (r#"{"sub":"7","org_id":3,"exp":1e400}"#.into(), TokenError::BadClaim("set")),
        (r#"{"sub":"7","org_id":3,"exp":-9223372036854775808}"#.into(), TokenError::Expired),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{}}}"#, NOW - 5), TokenError::Expired),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"nbf":{}}}"#, NOW + 6), TokenError::NotYetValid),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"nbf":"0"}}"#), TokenError::BadClaim("nbf")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"iat":true}}"#), TokenError::BadClaim("iat")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"iss":"other"}}"#), TokenError::WrongIssuer),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"aud":["sme-pulse-api"]}}"#), TokenError::BadClaim("aud")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"aud":"other"}}"#), TokenError::WrongAudience),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"sid":"not-a-uuid"}}"#), TokenError::BadClaim("sid")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"jti":1}}"#), TokenError::BadClaim("jti")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"roles":"owner"}}"#), TokenError::BadClaim("roles")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"amr":"pwd"}}"#), TokenError::BadClaim("amr")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"amr":["pwd",1]}}"#), TokenError::BadClaim("amr")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"amr":null}}"#), TokenError::BadClaim("amr")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"auth_time":"1"}}"#), TokenError::BadClaim("auth_time")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"auth_time":[1]}}"#), TokenError::BadClaim("auth_time")),
        (format!(r#"{{"sub":"7","sub":"8","org_id":3,"exp":{exp}}}"#), TokenError::BadClaim("set")),
        (format!(r#"{{"sub":"7","org_id":3,"exp":{exp},"x":{{"y":1,"y":2}}}}"#), TokenError::BadClaim("set")),
        (format!("{}1{}", "[".repeat(10_000 / 4), "]".repeat(10_000 / 4)), TokenError::BadClaim("set")),
    ] {
        assert_eq!(with_claims(&claims), Some(refusal), "{claims}");
    }
}

#[test]
fn odd_but_honest_claims_are_accepted() {
    for claims in [
        format!(r#"{{"sub":"7","org_id":3,"exp":{}}}"#, NOW - 4),
        format!(r#"{{"sub":"7","org_id":3,"exp":{NOW}.5}}"#),
        r#"{"sub":"7","org_id":3,"exp":9223372036854775807}"#.into(),
        r#"{"sub":"7","org_id":3,"exp":18446744073709551616}"#.into(),
        format!(r#"{{"sub":"7","org_id":3,"exp":{},"nbf":{}}}"#, NOW + 60, NOW + 5),
    ] {
        assert_eq!(with_claims(&claims), None, "{claims}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let token = genuine();
    let parts: Vec<&str> = token.split('.').collect();
    for other in [
        format!("{token}="),
        format!("{token}."),
        format!("{token}.x"),
        format!(".{token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].replace('-', "+").replace('_', "/") + "="),
        String::new(),
        "..".into(),
        ".".repeat(100),
    ] {
        assert_eq!(verifier().judge(&other, NOW), Err(TokenError::Malformed), "{other}");
    }
    assert_eq!(verifier().judge(&"a".repeat(100_000), NOW), Err(TokenError::TooLong));
}

#[test]
fn the_last_character_of_a_part_cannot_carry_stray_bits() {
    let token = genuine();
    let (message, signature) = token.rsplit_once('.').unwrap();
    // 32 bytes are 43 characters, the last of which has two bits that mean nothing.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.iter().position(|c| *c == signature.as_bytes()[42]).unwrap();
    let respelt = format!("{message}.{}{}", &signature[..42], char::from(alphabet[last ^ 1]));
    assert_eq!(verifier().judge(&respelt, NOW), Err(TokenError::Malformed));
}

proptest! {
    #[test]
    fn any_changed_character_is_refused(at in 0_usize..10_000, to in "[A-Za-z0-9_-]") {
        let token = genuine();
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != token);
        prop_assert!(verifier().judge(&changed, NOW).is_err());
    }

    #[test]
    fn arbitrary_text_is_refused(token in "\\PC{0,200}") {
        prop_assert!(verifier().judge(&token, NOW).is_err());
    }

    #[test]
    fn arbitrary_signed_bytes_never_panic(header in prop::collection::vec(any::<u8>(), 1..60), payload in prop::collection::vec(any::<u8>(), 1..200)) {
        prop_assert!(verifier().judge(&signed(&header, &payload), NOW).is_err());
    }
}

#[test]
fn the_time_of_the_proof_is_read_in_every_form_a_number_has() {
    let auth_time = |number: &str| {
        let claims = format!(r#"{{"sub":"7","org_id":3,"exp":{},"auth_time":{number}}}"#, NOW + 60);
        let token = signed(br#"{"alg":"HS256","typ":"JWT"}"#, claims.as_bytes());
        verifier().judge(&token, NOW).unwrap().auth_time
    };
    assert_eq!((auth_time("5"), auth_time("5.9"), auth_time("-5.1")), (Some(5), Some(5), Some(-6)));
    assert_eq!((auth_time("1e300"), auth_time("18446744073709551615")), (Some(i64::MIN), Some(i64::MIN)));
}
