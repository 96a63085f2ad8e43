//! `/.well-known`: what services that check tokens by themselves have to know. Public, and the same for everybody.

mod key_set;
mod metadata;
mod view;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, EntityTag},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use sme_pulse_domain::signing_key::CACHED_FOR;
use utoipa::OpenApi;

use super::mount::{Resource, Table};
use crate::asset::is_fresh;
pub use metadata::Issuer;

#[derive(OpenApi)]
#[openapi(paths(key_set::handle, metadata::openid, metadata::oauth))]
pub(super) struct Docs;

pub(super) fn mount(table: &mut Table<'_>) {
    table.add(&Resource::at(key_set::PATH).open_get(key_set::handle));
    table.add(&Resource::at(metadata::OPENID).open_get(metadata::openid));
    table.add(&Resource::at(metadata::OAUTH).open_get(metadata::oauth));
}

/// A document that caches may keep for as long as a new key is published before it signs, with a tag that names its bytes
/// (RFC 9110 section 8.8.3).
fn document(req: &HttpRequest, body: String) -> HttpResponse {
    let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
    let fresh = is_fresh(req, &tag);
    let mut res = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    let seconds = CACHED_FOR.num_seconds();
    res.insert_header((header::CACHE_CONTROL, format!("public, max-age={seconds}"))).insert_header(header::ETag(tag));
    if fresh {
        return res.finish();
    }
    // The type that every verifier knows; `application/jwk-set+json` is registered, and some refuse it.
    res.insert_header((header::CONTENT_TYPE, "application/json")).body(body)
}
