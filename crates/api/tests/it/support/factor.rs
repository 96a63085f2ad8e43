//! A user with a second factor, and the authenticator app in their hand.

use std::time::Duration;

use serde_json::{Value, json};
use sme_pulse_domain::{clock::Clock as _, role::Role};
use totp_rs::{Algorithm, Builder, Secret};

use super::{Answer, Member, PASSWORD, TestApp};

/// Where a log-in is completed.
pub(crate) const VERIFY: &str = "/api/v1/auth/mfa/verify";

/// A signed-in user whose second factor is confirmed.
pub(crate) struct Holder<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) member: Member<'a>,
    pub(crate) secret: String,
    pub(crate) recovery_codes: Vec<String>,
}

impl TestApp {
    /// A new user in an organization of their own, who enables the second factor through the real routes.
    pub(crate) async fn holder(&self, roles: &[Role]) -> Holder<'_> {
        let member = self.member(roles).await;
        self.enrolled(member).await
    }

    /// The same for somebody who is there.
    pub(crate) async fn enrolled<'a>(&'a self, member: Member<'a>) -> Holder<'a> {
        let made = member.post("/api/v1/auth/mfa/enroll").await;
        assert_eq!(made.status, 200, "{}", made.text);
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        let code = code_at(&secret, self.clock.now().timestamp());
        let confirmed = member.send("/api/v1/auth/mfa/confirm", &json!({"code": code})).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        let codes = confirmed.json()["recovery_codes"].as_array().unwrap().clone();
        let recovery_codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        Holder { app: self, member, secret, recovery_codes }
    }

    /// The second half of a log-in.
    pub(crate) async fn verify(&self, token: &str, code: &str) -> Answer {
        self.post(VERIFY, &json!({"mfa_token": token, "code": code})).await
    }
}

impl Holder<'_> {
    /// What the app shows so many seconds from now.
    pub(crate) fn code_in(&self, seconds: i64) -> String {
        code_at(&self.secret, self.app.clock.now().timestamp() + seconds)
    }

    /// What the app shows after the step of the last code has passed.
    pub(crate) fn next_code(&self) -> String {
        self.app.clock.advance(Duration::from_secs(30));
        self.code_in(0)
    }

    /// A code that is none of those that count now.
    pub(crate) fn wrong_code(&self) -> String {
        let right: Vec<_> = [-30, 0, 30].map(|seconds| self.code_in(seconds)).into();
        (0..4).map(|number| format!("00000{number}")).find(|code| !right.contains(code)).unwrap()
    }

    /// The first half of a log-in: its `mfa_token`.
    pub(crate) async fn half(&self) -> String {
        let answer = self.app.log_in(&self.member.email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["mfa_token"].as_str().unwrap_or_else(|| panic!("no question: {}", answer.text)).to_owned()
    }

    /// A whole log-in.
    pub(crate) async fn sign_in(&self) -> Value {
        let answer = self.app.verify(&self.half().await, &self.next_code()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

impl Member<'_> {
    /// `POST` with a body.
    pub(crate) async fn send(&self, path: &str, body: &Value) -> Answer {
        TestApp::send(self.request("POST", path).json(body)).await
    }
}

fn code_at(secret: &str, second: i64) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let app = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build().unwrap();
    app.generate(u64::try_from(second).unwrap()).to_string()
}

/// The one answer to every second half of a log-in that is refused.
pub(crate) fn assert_refused(answer: &Answer) {
    answer.assert_envelope(401, "Invalid or expired code", "Invalid or expired code", "invalid_mfa");
    assert_eq!((answer.one("www-authenticate"), answer.one("cache-control")), ("Bearer", "no-store"));
}

/// The one answer to a wrong proof of somebody who is signed in.
pub(crate) fn assert_wrong(answer: &Answer) {
    let text = "The code or password is incorrect";
    answer.assert_envelope(400, text, text, "rule_violated");
}
