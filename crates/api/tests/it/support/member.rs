//! A person in an organization of their own, signed in through the real route.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;

use super::{
    TestApp,
    app::{Answer, HASH, PASSWORD},
};

/// A signed-in user.
pub(crate) struct Member<'a> {
    app: &'a TestApp,
    pub(crate) token: String,
    pub(crate) refresh_token: String,
    pub(crate) user: i64,
    pub(crate) org: i64,
    pub(crate) email: String,
}

impl TestApp {
    /// The seeded administrator.
    pub(crate) async fn admin(&self) -> Member<'_> {
        self.sign_in("admin@sme.com").await
    }

    /// A new organization and in it a new user with these roles, signed in.
    pub(crate) async fn member(&self, roles: &[Role]) -> Member<'_> {
        let number = self.numbers("SELECT COUNT(*) FROM core.organizations").await[0];
        self.sql(&format!("INSERT INTO core.organizations (name, tax_code) VALUES ('Org {number}', 'T{number}')"))
            .await;
        let org = self.numbers(&format!("SELECT id FROM core.organizations WHERE tax_code = 'T{number}'")).await[0];
        let email = format!("user{number}@example.com");
        self.sql(&format!(
            "INSERT INTO core.users (org_id, email, password_hash, full_name) VALUES ({org}, '{email}', '{HASH}', 'User {number}')"
        ))
        .await;
        for role in roles {
            self.sql(&format!(
                "INSERT INTO core.user_roles (user_id, org_id, role_id) SELECT u.id, u.org_id, r.id \
                 FROM core.users u CROSS JOIN core.roles r WHERE u.email = '{email}' AND r.code = '{role}'"
            ))
            .await;
        }
        self.sign_in(&email).await
    }

    /// A user in an organization that exists, with this stored hash and without roles.
    pub(crate) async fn insert_user(&self, org: i64, email: &str, hash: &str) -> i64 {
        self.sql(&format!("INSERT INTO core.users (org_id, email, password_hash) VALUES ({org}, '{email}', '{hash}')"))
            .await;
        self.numbers(&format!("SELECT id FROM core.users WHERE email = '{email}'")).await[0]
    }

    /// A log-in that may fail.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", &json!({"email": email, "password": password})).await
    }

    /// `GET /me` with this token.
    pub(crate) async fn me(&self, token: &str) -> Answer {
        Self::send(self.request("GET", "/api/v1/auth/me").bearer_auth(token)).await
    }

    /// `POST /refresh` with this token.
    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", &json!({"refresh_token": refresh_token})).await
    }

    /// Log-in with the password that every test user has.
    pub(crate) async fn sign_in(&self, email: &str) -> Member<'_> {
        self.sign_in_with(email, PASSWORD).await
    }

    /// Log-in with another one.
    pub(crate) async fn sign_in_with(&self, email: &str, password: &str) -> Member<'_> {
        let answer = self.log_in(email, password).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        Member {
            app: self,
            token: body["access_token"].as_str().unwrap().to_owned(),
            refresh_token: body["refresh_token"].as_str().unwrap().to_owned(),
            user: body["user"]["id"].as_i64().unwrap(),
            org: body["user"]["org_id"].as_i64().unwrap(),
            email: email.to_owned(),
        }
    }
}

impl Member<'_> {
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.app.request(method, path).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        TestApp::send(self.request("GET", path)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        TestApp::send(self.request("PUT", path).json(body)).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        TestApp::send(self.request("POST", path).json(body)).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        TestApp::send(self.request("POST", path)).await
    }
}
