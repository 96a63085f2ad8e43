//! `/.well-known`: what services find there that check tokens by themselves.

use serde_json::json;
use sme_pulse_auth::token::{Algorithm, KeyId, KeyRing, Verifier};
use sme_pulse_domain::clock::Clock as _;
use sme_pulse_testing::{TestDatabase, on_both_databases};

use super::support::TestApp;

const KEY_SET: &str = "/.well-known/jwks.json";
const METADATA: &str = "/.well-known/openid-configuration";

async fn with_keys(database: TestDatabase, algorithm: &str) -> TestApp {
    let settings = [("BACKEND_RATE_LIMIT_ENABLED", "false"), ("BACKEND_ALGORITHM", algorithm)];
    TestApp::with(database, &settings).await
}

on_both_databases! {
    async fn a_service_verifies_tokens_with_nothing_but_the_key_set(database: TestDatabase) {
        let app = with_keys(database, "ES256").await;
        let ring = KeyRing::from_jwks(app.get(KEY_SET).await.text.as_bytes()).unwrap();
        assert_eq!((ring.len(), ring.find(None).is_none()), (2, true));
        let verifier = Verifier::with_keys(ring).issuer("sme-pulse").audience("sme-pulse-api");
        let admin = app.admin().await;
        let claims = verifier.verify_at(&admin.token, app.clock.now().timestamp()).unwrap();
        assert_eq!(claims.user.get(), admin.user);
        // After a rotation the same document is enough, because the key was in it before it signed.
        app.auth.key_set().rotate(true).await.unwrap();
        app.auth.reload_keys().await.unwrap();
        let later = verifier.verify_at(&app.admin().await.token, app.clock.now().timestamp()).unwrap();
        assert_ne!(later.key.as_ref().map(KeyId::as_str), claims.key.as_ref().map(KeyId::as_str));
    }

    async fn a_shared_secret_is_never_published(app: TestApp) {
        assert_eq!(app.get(KEY_SET).await.text, r#"{"keys":[]}"#);
        let metadata = app.get(METADATA).await.json();
        assert_eq!(metadata["access_token_signing_alg_values_supported"], json!(["HS256"]));
    }

    async fn the_documents_can_be_kept_for_a_minute_and_asked_for_again(database: TestDatabase) {
        let app = with_keys(database, "EdDSA").await;
        for path in [KEY_SET, METADATA] {
            let answer = TestApp::send(app.request("GET", path).header("Origin", "http://localhost:3000")).await;
            assert_eq!((answer.status, answer.one("content-type")), (200, "application/json"));
            assert_eq!(answer.one("cache-control"), "public, max-age=60");
            assert_eq!(answer.one("access-control-allow-origin"), "http://localhost:3000");
            let tag = answer.one("etag").to_owned();
            assert!(tag.starts_with('"'), "{tag}");
            let again = TestApp::send(app.request("GET", path).header("If-None-Match", &tag)).await;
            assert_eq!((again.status, again.text.as_str(), again.one("etag")), (304, "", tag.as_str()));
            assert_eq!(TestApp::send(app.request("HEAD", path)).await.one("etag"), tag);
            assert_eq!(TestApp::send(app.request("POST", path)).await.status, 405);
        }
        let tag = app.get(KEY_SET).await.one("etag").to_owned();
        app.auth.key_set().rotate(true).await.unwrap();
        app.auth.reload_keys().await.unwrap();
        let changed = TestApp::send(app.request("GET", KEY_SET).header("If-None-Match", &tag)).await;
        assert_eq!((changed.status, changed.json()["keys"].as_array().unwrap().len()), (200, 3));
    }

    async fn only_public_members_are_published(database: TestDatabase) {
        let app = with_keys(database, "EdDSA").await;
        for key in app.get(KEY_SET).await.json()["keys"].as_array().unwrap() {
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
            assert_eq!(key["alg"], Algorithm::EdDsa.name());
        }
    }

    async fn the_metadata_names_what_exists_under_both_names(app: TestApp) {
        let metadata = app.get(METADATA).await;
        assert_eq!(metadata.text, app.get("/.well-known/oauth-authorization-server").await.text);
        let metadata = metadata.json();
        assert_eq!(metadata["issuer"], "sme-pulse");
        assert_eq!(metadata["jwks_uri"], format!("{}{KEY_SET}", app.base));
        for (name, value) in metadata.as_object().unwrap() {
            let Some(path) = value.as_str().and_then(|text| text.strip_prefix(&app.base)) else { continue };
            assert!(app.routes.iter().any(|route| route.path == path), "{name}: {path}");
        }
    }

    async fn addresses_begin_with_what_is_configured(database: TestDatabase) {
        let app = TestApp::with(database, &[("BACKEND_API_URL", "https://api.example.com/sme/")]).await;
        let metadata = app.get(METADATA).await.json();
        assert_eq!(metadata["jwks_uri"], "https://api.example.com/sme/.well-known/jwks.json");
    }
}
