//! One served file: its representations (as it is, or compressed in advance), its validators, its mounting and the
//! answer to a GET or HEAD of it.

use std::{
    io,
    io::Read,
    rc::Rc,
    sync::{Arc, OnceLock},
};

use actix_web::{
    HttpRequest, HttpResponse, guard,
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, EntityTag, Header, IfNoneMatch},
    web::{self, Bytes},
};

use crate::{
    error::{ApiError, Reason},
    metrics::{HttpMetrics, Named, RouteName},
};

/// A file of a fixed path.
#[derive(Debug)]
pub(crate) struct Asset {
    content_type: &'static str,
    /// The Content-Security-Policy it is served with.
    policy: Option<&'static str>,
    body: Body,
    /// CRC-32 and length of the uncompressed bytes: two builds with different files never share a tag by chance
    /// that matters, and computing it costs the start nothing, since gzip ends with both.
    fingerprint: String,
}

#[derive(Debug)]
enum Body {
    Plain(Bytes),
    /// Kept compressed; inflated once, when the first client that does not accept gzip asks.
    Gzip(Bytes, OnceLock<Bytes>),
}

impl Asset {
    /// A file served as it is.
    pub(crate) fn plain(content_type: &'static str, bytes: Bytes) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        let fingerprint = format!("{:08x}-{:x}", crc.sum(), crc.amount());
        Self { content_type, policy: None, body: Body::Plain(bytes), fingerprint }
    }

    /// A file of which `bytes` are the gzip form; `None` when they are not a whole gzip member.
    pub(crate) fn gzip(content_type: &'static str, bytes: Bytes) -> Option<Self> {
        let (rest, length) = bytes.split_last_chunk::<4>()?;
        let (rest, crc) = rest.split_last_chunk::<4>()?;
        rest.starts_with(&[0x1f, 0x8b, 8]).then_some(())?;
        let fingerprint = format!("{:08x}-{:x}", u32::from_le_bytes(*crc), u32::from_le_bytes(*length));
        Some(Self { content_type, policy: None, body: Body::Gzip(bytes, OnceLock::new()), fingerprint })
    }

    /// The same file, served with this Content-Security-Policy.
    #[must_use]
    pub(crate) fn under(self, policy: &'static str) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// Mounts it at a path with and without trailing slash, for GET and HEAD; other methods are 405. Files below
    /// `assets` are counted together.
    pub(crate) fn mount(self: &Arc<Self>, cfg: &mut web::ServiceConfig, path: &str, metrics: Option<&HttpMetrics>) {
        let route = path.split_once("/assets/").map(|(page, _)| format!("{page}/assets/{{file}}"));
        let named = Named(Rc::new(RouteName::new(route.as_deref().unwrap_or(path), metrics)));
        let file = Arc::clone(self);
        let answer = move |req: HttpRequest| {
            let answered = file.answer(&req);
            async move { answered }
        };
        cfg.service(
            web::resource([path.to_owned(), format!("{path}/")])
                .route(web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(answer))
                .default_service(web::to(|| async { Err::<(), _>(ApiError::MethodNotAllowed("GET, HEAD".into())) }))
                .wrap(named),
        );
    }

    /// 200 or 304 for a GET or HEAD. Always to be revalidated, so that a new release is seen at once.
    fn answer(&self, req: &HttpRequest) -> Result<HttpResponse, ApiError> {
        let compressed = matches!(self.body, Body::Gzip(..)) && accepts_gzip(req);
        let tag = EntityTag::new_strong(format!("{}{}", self.fingerprint, if compressed { "-gz" } else { "" }));
        let fresh = is_fresh(req, &tag);
        let mut res = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        res.insert_header((header::CACHE_CONTROL, "no-cache")).insert_header(header::ETag(tag));
        if matches!(self.body, Body::Gzip(..)) {
            res.insert_header((header::VARY, "Accept-Encoding"));
        }
        if let Some(policy) = self.policy {
            res.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        }
        if fresh {
            return Ok(res.finish());
        }
        res.insert_header((header::CONTENT_TYPE, self.content_type));
        if compressed {
            res.insert_header(ContentEncoding::Gzip);
        }
        Ok(res.body(self.bytes(compressed)?))
    }

    fn bytes(&self, compressed: bool) -> Result<Bytes, ApiError> {
        match &self.body {
            Body::Plain(bytes) => Ok(bytes.clone()),
            Body::Gzip(bytes, _) if compressed => Ok(bytes.clone()),
            Body::Gzip(bytes, inflated) => {
                if let Some(plain) = inflated.get() {
                    return Ok(plain.clone());
                }
                let plain = inflate(bytes).map_err(|e| ApiError::Internal(Reason(format!("an asset: {e}"))))?;
                Ok(inflated.get_or_init(|| plain).clone())
            }
        }
    }
}

fn inflate(bytes: &[u8]) -> io::Result<Bytes> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain.into())
}

/// RFC 9110, 12.5.3: no header, or one that cannot be read, means the file as it is.
fn accepts_gzip(req: &HttpRequest) -> bool {
    let supported = [Encoding::gzip(), Encoding::identity()];
    req.headers().contains_key(header::ACCEPT_ENCODING)
        && AcceptEncoding::parse(req)
            .is_ok_and(|accepted| accepted.negotiate(supported.iter()) == Some(Encoding::gzip()))
}

/// RFC 9110, 13.1.2: weak comparison with every tag the client names.
pub(crate) fn is_fresh(req: &HttpRequest, tag: &EntityTag) -> bool {
    req.headers().contains_key(header::IF_NONE_MATCH)
        && match IfNoneMatch::parse(req) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(known)) => known.iter().any(|k| k.weak_eq(tag)),
            Err(_) => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_gzip_are_no_file() {
        assert!(Asset::gzip("text/plain", Bytes::from_static(b"not compressed at all")).is_none());
        assert!(Asset::gzip("text/plain", Bytes::from_static(b"\x1f\x8b")).is_none());
    }

    #[test]
    fn different_bytes_have_different_fingerprints() {
        let of = |text: &'static str| Asset::plain("text/plain", Bytes::from_static(text.as_bytes())).fingerprint;
        assert_ne!(of("a"), of("b"));
        assert_eq!(of("a"), of("a"));
    }
}
