//! The console: a small page under `/console` with which people use the API, served from the binary alone. It is a
//! client like any other and has no way of its own to anything. It reads no configuration: with
//! `BACKEND_CONSOLE_ENABLED=false` the caller does not mount it.

mod site;

pub use site::{ConsoleSite, VIEWS, configure};

/// What the page may load and do: files and calls of this host, and pictures that answers hold. No inline code, no
/// text that becomes markup or code (trusted types), no form that leaves by itself, no frame around it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";
