//! The examples of RFC 7515, 7517, 7520, 7638, 8037 and 9449, as far as they are about what is supported: HMAC, P-256 and Ed25519.

use super::{bytes, is_genuine, name, ring};
use crate::token::{Algorithm, KeyError, KeyRing, TokenError, Verifier, VerifyingKey, message::Kind};

/// RFC 7515 appendices A.1 to A.5 have one payload.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const A1_HEADER: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
const A1_KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const A1_SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const A2_HEADER: &str = "eyJhbGciOiJSUzI1NiJ9";
const A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const A3_HEADER: &str = "eyJhbGciOiJFUzI1NiJ9";
const A3_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const A3_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const A3_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const A5_HEADER: &str = "eyJhbGciOiJub25lIn0";

/// RFC 8037 appendix A.
#[cfg(feature = "sign")]
const ED25519_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ED25519_MESSAGE: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const ED25519_SIGNATURE: &str =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn shared(key: &str) -> VerifyingKey {
    VerifyingKey::shared_secret(&bytes(key), Algorithm::Hs256).unwrap()
}

fn p256() -> VerifyingKey {
    VerifyingKey::p256(name("a3"), &bytes(A3_X), &bytes(A3_Y)).unwrap()
}

fn ed25519() -> VerifyingKey {
    VerifyingKey::ed25519(name("a"), &bytes(ED25519_X)).unwrap()
}

fn compact(header: &str, signature: &str) -> String {
    format!("{header}.{PAYLOAD}.{signature}")
}

/// Every single character of a signature, changed.
fn misspelt(signature: &str) -> impl Iterator<Item = String> {
    signature.char_indices().map(|(at, old)| {
        let mut other = signature.to_owned();
        other.replace_range(at..=at, if old == 'A' { "Q" } else { "A" });
        other
    })
}

#[test]
fn rfc_7515_a_1_an_hmac_is_genuine_and_opens_to_its_payload() {
    let keys = ring([shared(A1_KEY)]);
    let token = compact(A1_HEADER, A1_SIGNATURE);
    let opened = keys.open(&token, Kind::AccessToken).map(|opened| opened.payload.clone());
    assert_eq!(opened, Ok(bytes(PAYLOAD)));
    for other in misspelt(A1_SIGNATURE) {
        let refused = keys.open(&compact(A1_HEADER, &other), Kind::AccessToken).err();
        assert!(matches!(refused, Some(TokenError::BadSignature | TokenError::Malformed)), "{other}");
    }
    // Genuine, and by its claims no access token of ours: the signature is checked first.
    assert_eq!(Verifier::with_keys(keys).decode(&token), Err(TokenError::BadClaim("sub")));
}

#[test]
fn rfc_7515_a_3_an_ecdsa_signature_is_genuine_and_its_nameless_key_finds_none() {
    let token = compact(A3_HEADER, A3_SIGNATURE);
    assert!(is_genuine(&p256(), &token));
    for other in misspelt(A3_SIGNATURE) {
        assert!(!is_genuine(&p256(), &compact(A3_HEADER, &other)), "{other}");
    }
    // Key pairs always have names here, and this header has no `kid`.
    assert_eq!(ring([p256()]).open(&token, Kind::AccessToken).err(), Some(TokenError::WrongAlgorithm));
}

#[test]
fn rfc_7515_algorithms_that_are_not_ours_are_refused_whatever_key_there_is() {
    let keys = ring([shared(A1_KEY), p256(), ed25519()]);
    // A.2 (RS256), A.4 (ES512), A.5 (none), which has no signature; none with one; and the example of another algorithm than the key's.
    for (header, signature, error) in [
        (A2_HEADER, A2_SIGNATURE, TokenError::WrongAlgorithm),
        ("eyJhbGciOiJFUzUxMiJ9", A3_SIGNATURE, TokenError::WrongAlgorithm),
        (A5_HEADER, "", TokenError::Malformed),
        (A5_HEADER, A1_SIGNATURE, TokenError::WrongAlgorithm),
        (A3_HEADER, A3_SIGNATURE, TokenError::WrongAlgorithm),
    ] {
        assert_eq!(keys.open(&compact(header, signature), Kind::AccessToken).err(), Some(error), "{header}");
    }
}

#[test]
fn rfc_7515_a_6_and_a_7_the_json_forms_are_no_tokens() {
    let keys = ring([shared(A1_KEY)]);
    let flat =
        format!(r#"{{"payload":"{PAYLOAD}","protected":"{A1_HEADER}","header":{{}},"signature":"{A1_SIGNATURE}"}}"#);
    let general = format!(
        r#"{{"payload":"{PAYLOAD}","signatures":[{{"protected":"{A1_HEADER}","signature":"{A1_SIGNATURE}"}}]}}"#
    );
    for text in [flat, general] {
        assert_eq!(keys.open(&text, Kind::AccessToken).err(), Some(TokenError::Malformed), "{text}");
    }
}

#[test]
fn rfc_8037_a_4_and_a_5_an_ed25519_signature_is_genuine() {
    let token = |signature: &str| format!("{ED25519_MESSAGE}.{signature}");
    assert!(is_genuine(&ed25519(), &token(ED25519_SIGNATURE)));
    for other in misspelt(ED25519_SIGNATURE) {
        assert!(!is_genuine(&ed25519(), &token(&other)), "{other}");
    }
    let refused = ring([ed25519()]).open(&token(ED25519_SIGNATURE), Kind::AccessToken).err();
    assert_eq!(refused, Some(TokenError::WrongAlgorithm), "its header has no kid");
}

#[test]
#[cfg(feature = "sign")]
fn rfc_8037_a_1_to_a_4_a_seed_makes_that_key_that_name_and_that_signature() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

    let key = crate::token::SigningKey::from_seed(Algorithm::EdDsa, &bytes(ED25519_SEED).try_into().unwrap()).unwrap();
    assert_eq!(key.public().public_bytes(), Some(bytes(ED25519_X).as_slice()));
    assert_eq!(key.id().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let signer = (DEFAULT_PROVIDER.signer_factory)(&jsonwebtoken::Algorithm::EdDSA, &key.encoding()).unwrap();
    let signature = signer.try_sign(ED25519_MESSAGE.as_bytes()).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(signature), ED25519_SIGNATURE);
}

#[test]
#[cfg(feature = "sign")]
fn rfc_7638_and_9449_a_thumbprint_is_what_they_say() {
    use crate::token::signing_key::{p256, thumbprint};

    // RFC 7638 section 3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let canonical = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{n}"}}"#);
    assert_eq!(thumbprint(&canonical).unwrap().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 9449 section 6.1, the key of section 4.1.
    let (x, y) = ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA");
    assert_eq!(p256(&bytes(x), &bytes(y)).unwrap().0.as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn rfc_7520_4_4_an_hmac_is_genuine_and_its_named_secret_is_none_of_ours() {
    let key = shared("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg");
    let header = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9";
    let payload = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
    let signature = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";
    let token = format!("{header}.{payload}.{signature}");
    assert!(is_genuine(&key, &token));
    // A shared secret has no name here.
    assert_eq!(ring([key.clone()]).open(&token, Kind::AccessToken).err(), Some(TokenError::UnknownKey));
    // 4.5, detached content: there must be a payload.
    let detached = format!("{header}..{signature}");
    assert_eq!(ring([key]).open(&detached, Kind::AccessToken).err(), Some(TokenError::Malformed));
}

#[test]
fn rfc_7517_key_sets_are_read_as_far_as_they_are_ours_and_never_with_private_members() {
    let read = |entries: &str| KeyRing::from_jwks(format!(r#"{{"keys":[{entries}]}}"#).as_bytes());
    // A.1: a P-256 key for encryption, and one of RSA.
    let public = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#;
    assert!(
        read(&format!(r#"{public},{{"kty":"RSA","n":"AQAB","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#))
            .unwrap()
            .is_empty()
    );
    // The same key, for signatures.
    let signing = public.replace("enc", "sig");
    assert_eq!(read(&signing).unwrap().iter().map(VerifyingKey::algorithm).collect::<Vec<_>>(), [Algorithm::Es256]);
    // A.2 with its private member, A.3, and RFC 7520 section 3.5.
    let private = signing.replace('}', r#","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#);
    let symmetric = r#"{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"}"#;
    let named = r#"{"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}"#;
    for document in [&private, symmetric, named] {
        assert_eq!(read(document).err(), Some(KeyError::PrivateKey), "{document}");
    }
    // RFC 7520 section 3.1: P-521, whose name would not be one of ours either.
    assert!(
        read(r#"{"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x":"AA","y":"AA"}"#)
            .unwrap()
            .is_empty()
    );
    // RFC 8037 A.2, which has no name, and with one.
    let plain = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{ED25519_X}"}}"#);
    assert_eq!(read(&plain).err(), Some(KeyError::BadName));
    let key = read(&plain.replace('}', r#","kid":"a"}"#)).unwrap();
    let token = format!("{ED25519_MESSAGE}.{ED25519_SIGNATURE}");
    assert!(key.iter().all(|key| is_genuine(key, &token)) && key.len() == 1);
}
