//! Calls of the API.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::Server;

/// The credentials of the seeded administrator, as a log-in body.
pub(crate) const BODY: &str = r#"{"email":"admin@sme.com","password":"123456"}"#;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The token of a successful log-in.
    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["access_token"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads the whole answer; an error when the connection breaks before its end.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.http.get(self.url(path))).await.unwrap()
    }

    /// A log-in of the seeded administrator that may fail with the connection.
    pub(crate) async fn try_log_in(http: &reqwest::Client, address: std::net::SocketAddr) -> reqwest::Result<Answer> {
        let request = http.post(format!("http://{address}/api/v1/auth/login"));
        send(request.header("Content-Type", "application/json").body(BODY)).await
    }

    /// A log-in of the seeded administrator.
    pub(crate) async fn log_in(&self) -> Answer {
        Self::try_log_in(&self.http, self.address).await.unwrap()
    }

    pub(crate) async fn log_in_with(&self, password: &str) -> Answer {
        let body = json!({"email": "admin@sme.com", "password": password});
        send(self.http.post(self.url("/api/v1/auth/login")).json(&body)).await.unwrap()
    }

    /// `GET /me` with a token.
    pub(crate) async fn me(&self, token: &str) -> Answer {
        self.get_with("/api/v1/auth/me", token).await
    }

    pub(crate) async fn get_with(&self, path: &str, token: &str) -> Answer {
        send(self.http.get(self.url(path)).bearer_auth(token)).await.unwrap()
    }

    pub(crate) async fn post_json(&self, path: &str, token: &str, body: &Value) -> Answer {
        send(self.http.post(self.url(path)).bearer_auth(token).json(body)).await.unwrap()
    }

    /// A `POST` without a body.
    pub(crate) async fn post(&self, path: &str, token: &str) -> Answer {
        send(self.http.post(self.url(path)).bearer_auth(token)).await.unwrap()
    }
}

/// The 503 of section 3.2, with nothing in it of what is behind it.
pub(crate) fn assert_clean_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], "Service unavailable");
    assert_eq!(body["detail"], "The service is temporarily unavailable. Please try again.");
    assert_eq!(body["error_code"], "service_unavailable");
    assert_eq!(body["request_id"].as_str(), Some(answer.headers["x-request-id"].to_str().unwrap()));
    assert_eq!(body.as_object().unwrap().len(), 4);
}
