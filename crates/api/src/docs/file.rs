//! One served file: its representations (as it is, or compressed in advance), its validators and the answer to a
//! GET or HEAD of it.

use std::{io, io::Read, sync::OnceLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, EntityTag, Header, IfNoneMatch},
    web::Bytes,
};

use super::CONTENT_SECURITY_POLICY;
use crate::error::{ApiError, Reason};

/// A file of a fixed path.
#[derive(Debug)]
pub(super) struct File {
    content_type: &'static str,
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

impl File {
    /// A file served as it is.
    pub(super) fn plain(content_type: &'static str, bytes: Bytes) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        let fingerprint = format!("{:08x}-{:x}", crc.sum(), crc.amount());
        Self { content_type, body: Body::Plain(bytes), fingerprint }
    }

    /// A file of which `bytes` are the gzip form; `None` when they are not a whole gzip member.
    pub(super) fn gzip(content_type: &'static str, bytes: Bytes) -> Option<Self> {
        let (rest, length) = bytes.split_last_chunk::<4>()?;
        let (rest, crc) = rest.split_last_chunk::<4>()?;
        rest.starts_with(&[0x1f, 0x8b, 8]).then_some(())?;
        let fingerprint = format!("{:08x}-{:x}", u32::from_le_bytes(*crc), u32::from_le_bytes(*length));
        Some(Self { content_type, body: Body::Gzip(bytes, OnceLock::new()), fingerprint })
    }

    /// 200 or 304 for a GET or HEAD. Always to be revalidated, so that a new release is seen at once.
    pub(super) fn answer(&self, req: &HttpRequest) -> Result<HttpResponse, ApiError> {
        let compressed = matches!(self.body, Body::Gzip(..)) && accepts_gzip(req);
        let tag = EntityTag::new_strong(format!("{}{}", self.fingerprint, if compressed { "-gz" } else { "" }));
        let fresh = is_fresh(req, &tag);
        let mut res = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        res.insert_header((header::CACHE_CONTROL, "no-cache")).insert_header(header::ETag(tag));
        if matches!(self.body, Body::Gzip(..)) {
            res.insert_header((header::VARY, "Accept-Encoding"));
        }
        if self.content_type.starts_with("text/html") {
            res.insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY));
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
fn is_fresh(req: &HttpRequest, tag: &EntityTag) -> bool {
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
        assert!(File::gzip("text/plain", Bytes::from_static(b"not compressed at all")).is_none());
        assert!(File::gzip("text/plain", Bytes::from_static(b"\x1f\x8b")).is_none());
    }

    #[test]
    fn different_bytes_have_different_fingerprints() {
        let of = |text: &'static str| File::plain("text/plain", Bytes::from_static(text.as_bytes())).fingerprint;
        assert_ne!(of("a"), of("b"));
        assert_eq!(of("a"), of("a"));
    }
}
