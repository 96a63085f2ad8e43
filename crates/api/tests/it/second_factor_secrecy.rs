//! What becomes of the secrets of the second factor: stored so that nobody can read them, never said again, never logged.

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{PASSWORD, Process, TestApp, VERIFY, assert_refused};

const STATUS: &str = "/api/v1/auth/mfa";
const ENROLL: &str = "/api/v1/auth/mfa/enroll";
const CONFIRM: &str = "/api/v1/auth/mfa/confirm";
const RENEW: &str = "/api/v1/auth/mfa/recovery-codes";
const DISABLE: &str = "/api/v1/auth/mfa/disable";

on_both_databases! {
    async fn nothing_secret_is_stored_readably_or_said_again(app: TestApp) {
        let holder = app.holder(&[Role::Owner]).await;
        let token = holder.half().await;
        let mut stored = app.texts("SELECT secret FROM auth.mfa_factors").await;
        stored.extend(app.texts("SELECT code_hash FROM auth.mfa_recovery_codes").await);
        stored.extend(app.texts("SELECT token_hash FROM auth.mfa_challenges").await);
        let stored = format!("{stored:?}");
        let answers = [holder.member.get(STATUS).await.text, holder.member.get("/auth/me").await.text, holder.member.post(ENROLL).await.text];
        let recorded = format!("{:?}", app.texts("SELECT CAST(after AS text) FROM auth.audit_log").await);
        for secret in holder.recovery_codes.iter().chain([&holder.secret, &token]) {
            for place in [&stored, &recorded].into_iter().chain(&answers) {
                assert!(!place.contains(secret.as_str()) && !place.contains(&secret.replace('-', "")), "{secret} {place}");
            }
        }
        // Somebody else's row in this one's place is no second factor, and the way back stays open.
        let other = app.holder(&[]).await;
        app.sql(&format!("UPDATE auth.mfa_factors SET secret = (SELECT secret FROM auth.mfa_factors WHERE user_id = {}) WHERE user_id = {}", other.member.user, holder.member.user)).await;
        assert_refused(&app.verify(&holder.half().await, &other.next_code()).await);
        app.sql(&format!("UPDATE auth.mfa_factors SET secret = '1.AAAA' WHERE user_id = {}", holder.member.user)).await;
        assert_refused(&app.verify(&holder.half().await, &holder.next_code()).await);
        assert_eq!(app.verify(&holder.half().await, &holder.recovery_codes[0]).await.status, 200);
    }

    async fn the_log_tells_what_happened_and_holds_no_secret(server: Process) {
        let post = async |path: &str, token: &str, body: Value| {
            TestApp::send(server.request("POST", path).bearer_auth(token).json(&body)).await
        };
        let log_in = json!({"email": "admin@sme.com", "password": PASSWORD});
        let token = server.log_in(&log_in).await.json()["access_token"].as_str().unwrap().to_owned();
        let made = post(ENROLL, &token, json!({})).await.json();
        let secret = made["secret"].as_str().unwrap().to_owned();
        let app = totp_rs::Builder::new().with_algorithm(totp_rs::Algorithm::SHA1);
        let app = app.with_secret(totp_rs::Secret::try_from_base32(&secret).unwrap()).build().unwrap();
        #[expect(clippy::disallowed_methods, reason = "the server under test has the real clock")]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let code = app.generate(now).to_string();
        let confirmed = post(CONFIRM, &token, json!({"code": code})).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        let codes: Vec<_> = confirmed.json()["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        let half = server.log_in(&log_in).await.json()["mfa_token"].as_str().unwrap().to_owned();
        let verify = async |code: &str| TestApp::send(server.request("POST", VERIFY).json(&json!({"mfa_token": half, "code": code}))).await;
        assert_eq!(verify(&code).await.status, 401);
        assert_eq!(verify(&codes[0]).await.status, 200);
        assert_eq!(post("/auth/step-up", &token, json!({"code": codes[1]})).await.status, 200);
        assert_eq!(post(RENEW, &token, json!({})).await.status, 200);
        server.sql("UPDATE auth.mfa_factors SET secret = 'x'").await;
        assert_eq!(post(DISABLE, &token, json!({"code": "000000"})).await.status, 400);
        assert_eq!(post(DISABLE, &token, json!({"password": PASSWORD})).await.status, 204);
        let written = server.stop();
        let lines: Vec<_> = written.lines().iter().map(|line| (line["level"].as_u64().unwrap(), line["msg"].as_str().unwrap().to_owned(), line["reason"].as_str().unwrap_or_default().to_owned())).collect();
        for (level, msg, reason) in [
            (30, "Second factor enabled", ""),
            (30, "Second factor required", ""),
            (40, "Second factor refused", "used code"),
            (30, "Successful login", "recovery code"),
            (30, "Identity confirmed again", ""),
            (30, "Recovery codes renewed", ""),
            (40, "Wrong proof of identity", "unreadable secret"),
            (50, "The secret of a second factor cannot be decrypted", ""),
            (30, "Second factor disabled", ""),
        ] {
            assert!(lines.contains(&(level, msg.to_owned(), reason.to_owned())), "{msg} {reason} {lines:?}");
        }
        let everything = format!("{}{}{}", written.file, written.stdout, written.stderr);
        for secret in codes.iter().chain([&secret, &half, &token]) {
            assert!(!everything.contains(secret.as_str()), "{secret}");
        }
    }
}
