//! The device token between client and service: browsers keep it as a cookie, other clients send it as a header.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderName, HeaderValue},
};

use sme_pulse_auth::service::{AuthService, SignedIn};

use crate::edge::RequestContext;

const HEADER: HeaderName = HeaderName::from_static("x-device-token");
const COOKIE: &str = "sme_pulse_device";
/// Tokens that are looked at.
const MOST: usize = 8;

/// How the cookie is set in this installation; part of the application's data.
#[derive(Debug, Clone, Copy)]
pub struct DeviceCookie {
    /// Whether the rules of a developer's machine apply, where there is no TLS.
    pub development: bool,
}

/// The first genuine token that the client presents, the header before the cookies. Others may lie beside it: a page
/// of a neighbouring host can plant a cookie of the same name.
pub(super) fn presented(req: &HttpRequest, auth: &AuthService) -> Option<String> {
    let header = req.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let mut candidates = header.into_iter().chain(cookies(req)).take(MOST);
    candidates.find(|token| auth.is_device_token(token)).map(str::to_owned)
}

/// Lets the browser keep a token, for 400 days from each log-in, as long as browsers keep any.
pub(super) fn keep(req: &HttpRequest, context: &RequestContext, done: &SignedIn) {
    if let Some(token) = &done.device_token {
        keep_token(req, context, token);
    }
}

/// The same for a token by itself.
pub(super) fn keep_token(req: &HttpRequest, context: &RequestContext, token: &str) {
    let development = req.app_data::<DeviceCookie>().is_some_and(|cookie| cookie.development);
    // A page of another site may belong to this product; only TLS lets browsers send the cookie from there.
    let site = if development { "SameSite=Lax" } else { "Secure; SameSite=None" };
    let cookie = format!("{COOKIE}={token}; Path=/; Max-Age=34560000; HttpOnly; {site}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        context.promise_header(header::SET_COOKIE, cookie);
    }
}

fn cookies(req: &HttpRequest) -> impl Iterator<Item = &str> {
    let lines = req.headers().get_all(header::COOKIE).filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}
