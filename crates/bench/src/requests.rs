//! The requests that are sent, byte for byte.

use std::net::SocketAddr;

/// The seeded log-in.
pub(crate) const CREDENTIALS: &str = r#"{"email":"admin@sme.com","password":"123456"}"#;

pub(crate) fn get(target: SocketAddr, path: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n").into_bytes()
}

pub(crate) fn login(target: SocketAddr, body: &str) -> Vec<u8> {
    post(target, "/auth/login", body, "")
}

pub(crate) fn refresh(target: SocketAddr, refresh_token: &str) -> Vec<u8> {
    post(target, "/auth/refresh", &format!(r#"{{"refresh_token":"{refresh_token}"}}"#), "")
}

/// A log-in through a proxy that saw `client`.
pub(crate) fn forwarded_login(target: SocketAddr, body: &str, client: std::net::Ipv4Addr) -> Vec<u8> {
    post(target, "/auth/login", body, &format!("X-Forwarded-For: {client}\r\n"))
}

/// Something new in the name of a caller, done once if it has a key.
pub(crate) fn create(target: SocketAddr, path: &str, body: &str, token: &str, key: Option<String>) -> Vec<u8> {
    let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
    post(target, path, body, &format!("Authorization: Bearer {token}\r\n{key}"))
}

fn post(target: SocketAddr, path: &str, body: &str, header: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {target}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{header}\r\n{body}"
    )
    .into_bytes()
}
