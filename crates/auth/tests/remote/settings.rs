//! What cannot be meant is an error when the verifier is made.

use std::time::Duration;

use sme_pulse_auth::{
    BuildError,
    remote::{Credential, FeedLoss, Remote},
    token::{Algorithm, KeyError, KeyRing, Verifier},
};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

#[test]
fn a_verifier_without_keys_or_with_unusable_ones_is_not_made() {
    assert!(matches!(Verifier::builder().build(), Err(BuildError::NoKeys)));
    assert!(matches!(Verifier::builder().keys(&KeyRing::default()).build(), Err(BuildError::NoKeys)));
    let secret = |bytes: &[u8], algorithm| Verifier::builder().shared_secret(bytes, algorithm);
    assert!(matches!(secret(&SECRET[1..], Algorithm::Hs256).build(), Err(BuildError::ShortSecret)));
    assert!(matches!(secret(SECRET, Algorithm::EdDsa).build(), Err(BuildError::Keys(KeyError::WrongKind))));
    let twice = secret(SECRET, Algorithm::Hs256).shared_secret(SECRET, Algorithm::Hs512);
    assert!(matches!(twice.build(), Err(BuildError::Keys(KeyError::Repeated))));
    assert!(secret(SECRET, Algorithm::Hs256).build().is_ok());
}

#[tokio::test]
async fn an_issuer_that_cannot_be_followed_is_an_error_at_once() {
    let build = |remote: Remote| Verifier::builder().issuer("sme-pulse").remote(remote).build();
    for bad in ["", "auth.example.com", "http://auth.example.com", "https://user@auth.example.com", "https://a.b/?c"] {
        assert!(matches!(build(Remote::at(bad)), Err(BuildError::Address(_))), "{bad}");
    }
    let near = || Remote::at("http://127.0.0.1:1");
    assert!(matches!(build(near().timeout(Duration::ZERO)), Err(BuildError::Duration(_))));
    let hasty = FeedLoss::RefuseAfter(Duration::from_millis(1_999));
    assert!(matches!(build(near().follow_revocations("x", hasty)), Err(BuildError::Duration(_))));
    assert!(matches!(build(near().follow_revocations("a\nb", FeedLoss::GoOn)), Err(BuildError::Credential)));
    let nameless = Verifier::builder().remote(near().follow_revocations("x", FeedLoss::GoOn));
    assert!(matches!(nameless.build(), Err(BuildError::NoIssuer)));
    assert!(build(near()).is_ok());
}

#[test]
fn an_issuer_is_followed_within_a_runtime_only() {
    let remote = Remote::at("http://127.0.0.1:1");
    assert!(matches!(Verifier::builder().remote(remote).build(), Err(BuildError::NoRuntime)));
}

#[test]
fn a_credential_shows_itself_to_nobody() {
    let remote = Remote::at("https://auth.example.com").follow_revocations(Credential::fixed("smep_x"), FeedLoss::GoOn);
    assert!(!format!("{remote:?}").contains("smep_x"));
}

#[test]
fn what_waits_is_dropped_with_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let verifier = {
        let _inside = runtime.enter();
        Verifier::builder().remote(Remote::at("http://127.0.0.1:1")).build().unwrap()
    };
    drop(runtime);
    let other = tokio::runtime::Runtime::new().unwrap();
    assert!(other.block_on(verifier.verify_fresh("eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.e30.AAAA")).is_err());
    assert!(!other.block_on(verifier.ready()));
}
