//! Second factors whose keys change, and what asks for one only from those who have it.

use sme_pulse_auth::{
    AccessError, Principal,
    service::{FactorError, FactorRefusal, ServiceKeys, ShownProof},
};
use sme_pulse_domain::{audit::Origin, clock::Clock as _};
use sme_pulse_testing::on_both_databases;
use totp_rs::{Algorithm, Builder, Secret};
use zeroize::Zeroizing;

use crate::support::{Office, Replica, SECRET};

const SEALED: &str = "SELECT secret FROM auth.mfa_factors";

/// What the app shows at this service's time.
fn code(secret: &str, replica: &Replica) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let app = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build().unwrap();
    app.generate(u64::try_from(replica.clock.now().timestamp()).unwrap()).to_string()
}

/// The administrator with a second factor: their secret and recovery codes.
async fn enabled(office: &Office, token: &str) -> (Principal, String, Vec<Zeroizing<String>>) {
    let caller = office.here.auth.authenticate(token).await.unwrap();
    let secret = office.here.auth.enrol_factor(&caller, &Origin::default()).await.unwrap().secret.to_string();
    let codes = office.here.auth.confirm_factor(&caller, &code(&secret, &office.here), &Origin::default()).await;
    (caller, secret, codes.unwrap())
}

/// A step-up with a code.
async fn shows(replica: &Replica, caller: &Principal, code: &str) -> Result<(), FactorError> {
    let proof = ShownProof { code: Some(code.to_owned().into()), password: None };
    replica.auth.step_up(caller, proof, &Origin::default()).await.map(drop)
}

on_both_databases! {
    async fn a_key_for_secrets_at_rest_can_be_introduced_and_then_the_signing_secret_replaced(office: Office) {
        let (caller, secret, codes) = enabled(&office, &office.here.token().await).await;
        let before = office.texts(SEALED).await;
        let introduced = office.with_keys(ServiceKeys::new(SECRET, Some(b"at rest"))).await;
        introduced.clock.advance(std::time::Duration::from_secs(30));
        shows(&introduced, &caller, &code(&secret, &introduced)).await.unwrap();
        let after = office.texts(SEALED).await;
        assert_ne!(before, after, "encrypted anew");

        let replaced = office.with_keys(ServiceKeys::new(b"another", Some(b"at rest"))).await;
        replaced.clock.advance(std::time::Duration::from_mins(1));
        shows(&replaced, &caller, &code(&secret, &replaced)).await.unwrap();
        assert_eq!(office.texts(SEALED).await, after);

        let lost = office.with_keys(ServiceKeys::new(b"another", None)).await;
        lost.clock.advance(std::time::Duration::from_mins(2));
        let refused = shows(&lost, &caller, &code(&secret, &lost)).await.unwrap_err();
        assert!(matches!(refused, FactorError::WrongProof { refusal: FactorRefusal::UnreadableSecret, .. }), "{refused:?}");
        shows(&lost, &caller, &codes[0]).await.unwrap();
    }

    async fn a_recent_factor_is_asked_of_those_who_have_one(office: Office) {
        let auth = &office.here.auth;
        let (token, other) = (office.here.token().await, office.here.token().await);
        let caller = auth.authenticate(&other).await.unwrap();
        auth.require_recent_if_factor(&caller, 15).await.unwrap();
        let (_, secret, _) = enabled(&office, &token).await;
        let refused = auth.require_recent_if_factor(&caller, 15).await.unwrap_err();
        assert!(matches!(refused, AccessError::StepUpRequired { max_age: 900, .. }), "{refused:?}");
        let caller = auth.authenticate(&token).await.unwrap();
        auth.require_recent_if_factor(&caller, 15).await.unwrap();
        office.here.clock.advance(std::time::Duration::from_mins(20));
        let caller = auth.authenticate(&token).await.unwrap();
        assert!(auth.require_recent_if_factor(&caller, 15).await.is_err());
        shows(&office.here, &caller, &code(&secret, &office.here)).await.unwrap();
        let caller = auth.authenticate(&token).await.unwrap();
        auth.require_recent_if_factor(&caller, 15).await.unwrap();
    }
}
